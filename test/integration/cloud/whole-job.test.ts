import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { backUp, restore } from '../../../src/cloud/backup.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { Doors } from '../../../src/lib/doors.ts';
import type { JobView } from '../../../src/protocol/rest.ts';
import type { LinkClient } from '../../harness/link-client.ts';
import { RunningCloud, settings } from './running-cloud.ts';

describe('a job over HTTPS and WebSocket', () => {
  let folder: string;
  let cloud: RunningCloud;
  let connector: LinkClient;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ips-cloud-'));
    cloud = await RunningCloud.start(join(folder, 'data'));
    await cloud.call('POST', '/v1/resource-locations', { name: 'lab' });
    const secret = { type: 'UsernamePassword', username: 'svc', password: 'a planted secret' };
    await cloud.call('PUT', '/v1/credentials/share', { secret, allowedTargets: ['smb://files.example'] });
    connector = await cloud.pair('one', 'lab');
  }, 60_000);
  afterAll(async () => {
    await cloud.service.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  async function createJob(name: string): Promise<JobView> {
    const { status, body } = await cloud.call<JobView>('POST', '/v1/jobs', {
      resourceLocation: 'lab',
      parameters: {
        type: 'export',
        source: { platform: 'qemu', path: '/images/master.qcow2' },
        target: { location: 'smb://files.example/images', name, credential: 'share' },
      },
    });
    expect([status, body.state]).toEqual([202, 'queued']);
    return body;
  }
  const job = async (id: string) => (await cloud.call<JobView>('GET', `/v1/jobs/${id}`)).body;
  const ended = { kind: 'ended' as const, state: 'complete' as const, result: { leftovers: [] } };

  it('goes from pairing to complete, through a restart of the cloud in the middle', async () => {
    await connector.connect();
    const { id } = await createJob('master');
    const offer = await connector.next('offer');
    const held = { jobId: offer.jobId, token: offer.token };
    expect(held).toEqual({ jobId: id, token: '1.1' });
    connector.send({ type: 'offerAnswer', ...held, accepted: true });
    expect(await connector.tell(held, { kind: 'accepted', connectorId: connector.paired.connectorId })).toBe(1);

    connector.send({ type: 'credentialsRequest', requestId: 'c1', ...held, purpose: 'run' });
    const { envelopes } = await connector.next('credentialsAnswer');
    const { customerId, connectorId } = connector.paired;
    const opened = envelopes?.map((envelope) => connector.keys.open(envelope, { customerId, connectorId, ...held }));
    expect(opened?.map((text) => JSON.parse(text).password)).toEqual(['a planted secret']);

    expect(await connector.tell(held, { kind: 'step', step: 'copy' })).toBe(2);
    await cloud.restart();
    const welcome = await connector.connect([{ ...held, state: 'running' }]);
    expect(welcome.jobs).toEqual([held]);
    expect(await connector.next('settle')).toEqual({ type: 'settle', ...held, action: 'continue' });
    expect(await job(id)).toMatchObject({ state: 'inProgress', step: 'copy', connector: 'one' });

    connector.send({ type: 'commitRequest', requestId: 'g1', ...held });
    expect((await connector.next('commitAnswer')).error).toBeUndefined();
    expect((await job(id)).state).toBe('committing');
    expect(await connector.tell(held, { kind: 'step', step: 'cleanup' }, ended)).toBe(4);
    expect(await job(id)).toMatchObject({ state: 'complete', step: 'done', overallProgressPercent: 100 });

    const { text } = await cloud.call('GET', `/v1/jobs/${id}/events`);
    const kinds = [...text.matchAll(/^id: (\d+)\ndata: (.*)$/gm)].map(([, n, data]) => [
      Number(n),
      JSON.parse(data ?? '').body.kind,
    ]);
    expect(kinds).toEqual([
      [1, 'accepted'],
      [2, 'step'],
      [3, 'step'],
      [4, 'ended'],
    ]);
    connector.cut();
  }, 60_000);

  it('is stopped when the cloud was restored from a backup that does not know of it; new tokens are of a newer epoch', async () => {
    await backUp(settings(cloud.folder), join(folder, 'backup'), new Doors());
    await connector.connect();
    const { id } = await createJob('later');
    const offer = await connector.next('offer');
    connector.send({ type: 'offerAnswer', jobId: id, token: offer.token, accepted: true });
    connector.cut();
    await cloud.restart(async () => {
      const epoch = await restore(settings(cloud.folder), join(folder, 'backup'), new Doors(), systemClock());
      expect(epoch).toBeGreaterThan(1);
    });
    await connector.connect([{ jobId: id, token: offer.token, state: 'running' }]);
    expect(await connector.next('settle')).toMatchObject({ jobId: id, action: 'stop' });
    const again = await createJob('later');
    const { token } = await connector.next('offer');
    expect(Number(token.split('.')[0])).toBeGreaterThan(1);
    connector.cut();
    expect((await cloud.call('POST', `/v1/jobs/${again.id}/cancel`)).status).toBe(202);
  }, 60_000);

  it('is not offered on a socket that sends rubbish, says nothing of who it is, or shows no subprotocol', async () => {
    await connector.open();
    const closing = connector.closed();
    connector.send({ type: 'proof', signature: 'x' });
    expect(await closing).toBe(1008);
    const socket = await connector.open();
    socket.send('x'.repeat(2 * 1024 * 1024));
    expect(await connector.closed()).toBe(1009);
    expect((await cloud.call('GET', '/v1/link')).status).toBe(404);
  }, 60_000);
});
