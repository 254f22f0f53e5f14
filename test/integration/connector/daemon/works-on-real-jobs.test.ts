import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RealPrograms, until } from './real-programs.ts';

interface Job {
  id: string;
  state: string;
  error?: { code: string; message: string };
}

describe('a connector with real workers, and the real cloud', () => {
  const programs = new RealPrograms();
  beforeAll(async () => {
    await programs.startCloud();
    await programs.api('POST', '/v1/resource-locations', { name: 'lab' });
    const { code } = await programs.api<{ code: string }>('POST', '/v1/pairing-codes', { resourceLocation: 'lab' });
    const images = join(programs.folder, 'images');
    mkdirSync(images);
    writeFileSync(join(images, 'disk.raw'), 'x');
    truncateSync(join(images, 'disk.raw'), 1024 * 1024);
    const config = join(programs.folder, 'lab.json');
    writeFileSync(config, JSON.stringify({ engine: { imageFolder: images }, qemu: { sourceFolders: [images] } }));
    const pin = ['--pin', programs.pin, '--code', code];
    const paired = await programs.ran('lab-1', ['pair', '--cloud', programs.url, ...pin, '--name', 'lab-1']);
    expect(paired.stderr).toBe('');
    programs.connector('lab-1', ['run', '--config', config]);
    await programs.waitForState('lab-1', 'connected');
    // Somebody is editing it: the daemon has read it, and its workers need not.
    writeFileSync(config, '{ "slots": ');
    await programs.api('PUT', '/v1/credentials/share', {
      secret: { type: 'UsernamePassword', username: 'mover', password: 'S3cret' },
      allowedTargets: ['smb://127.0.0.1:9'],
    });
  }, 60_000);
  afterAll(async () => await programs.stop(), 60_000);

  async function jobOn(path: string, name: string): Promise<Job> {
    const job = await programs.api<Job>('POST', '/v1/jobs', {
      resourceLocation: 'lab',
      parameters: {
        type: 'export',
        source: { platform: 'qemu', path },
        target: { location: 'smb://127.0.0.1:9/vdisks', name, credential: 'share' },
      },
    });
    let last = job;
    await until(`${job.id} ends`, async () => {
      last = await programs.api<Job>('GET', `/v1/jobs/${job.id}`);
      return last.state === 'failed' || last.state === 'complete';
    });
    return last;
  }

  it('declines a source that is elsewhere: a short-lived worker looked', async () => {
    const job = await jobOn('/elsewhere/disk.raw', 'one');
    expect(job).toMatchObject({ state: 'failed', error: { code: 'SOURCE_NOT_HERE' } });
  }, 60_000);

  it('takes a job, gives its worker the sealed credential, tells how it ended, and forgets it', async () => {
    const job = await jobOn(join(programs.folder, 'images/disk.raw'), 'two');
    expect(job).toMatchObject({ state: 'failed' });
    expect(['SMB_UNREACHABLE', 'ENGINE_IMAGE_MISSING']).toContain(job.error?.code);
    const given = await programs.api<{ action: string }[]>('GET', '/v1/audit');
    expect(given.map(({ action }) => action)).toContain('credential.deliver');
    const journal = new DatabaseSync(join(programs.folder, 'lab-1/journal.db'), { readOnly: true });
    try {
      await until('the job is forgotten', () => journal.prepare('SELECT count(*) AS n FROM jobs').get()?.n === 0);
      expect(journal.prepare('SELECT count(*) AS n FROM outbox').get()?.n).toBe(0);
    } finally {
      journal.close();
    }
  }, 60_000);
});
