import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { IpsClient, type JobNews } from '../../../src/client/client.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { systemRandom } from '../../../src/lib/random.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { RunningCloud } from './running-cloud.ts';

describe('following a job', () => {
  let folder: string;
  let cloud: RunningCloud;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ips-cloud-'));
    cloud = await RunningCloud.start(join(folder, 'data'));
    await cloud.call('POST', '/v1/resource-locations', { name: 'lab' });
    const secret = { type: 'UsernamePassword', username: 'svc', password: 'p' };
    await cloud.call('PUT', '/v1/credentials/share', { secret, allowedTargets: ['smb://files.example'] });
  }, 60_000);
  afterAll(async () => {
    await cloud.service.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  it('brings events and progress as they come, and ends with the job', async () => {
    const { url, pin } = cloud.service;
    const client = new IpsClient(
      { url: new URL(url), trust: { kind: 'pins', pins: [pin] }, token: new Secret(cloud.adminToken) },
      { doors: new Doors(), clock: systemClock(), random: systemRandom() },
    );
    const connector = await cloud.pair('one', 'lab');
    await connector.connect();
    const job = await client.createJob(
      {
        resourceLocation: 'lab',
        parameters: {
          type: 'export',
          source: { platform: 'qemu', path: '/images/master.qcow2' },
          target: { location: 'smb://files.example/images', name: 'master', credential: 'share' },
        },
      },
      'key-1',
    );
    const offer = await connector.next('offer');
    const held = { jobId: offer.jobId, token: offer.token };
    connector.send({ type: 'offerAnswer', ...held, accepted: true });

    // Each message is sent only after the one before it has reached the reader: nothing here depends on time.
    const seen: string[] = [];
    const progress = { step: 'copy' as const, overallProgressPercent: 42 };
    const next: Record<string, () => unknown> = {
      accepted: () => connector.tell(held, { kind: 'step', step: 'copy' }),
      step: () => connector.send({ type: 'progress', ...held, progress }),
      progress: () => connector.tell(held, { kind: 'ended', state: 'cancelled', result: { leftovers: [] } }),
    };
    await connector.tell(held, { kind: 'accepted', connectorId: connector.paired.connectorId });
    const nameOf = (news: JobNews) => (news.kind === 'progress' ? 'progress' : news.event.body.kind);
    for await (const news of client.follow(job.id, AbortSignal.timeout(30_000))) {
      seen.push(nameOf(news));
      void next[nameOf(news)]?.();
    }
    expect(seen).toEqual(['accepted', 'step', 'progress', 'ended']);
    connector.cut();
  }, 60_000);
});
