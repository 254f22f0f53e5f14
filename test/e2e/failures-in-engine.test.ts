import { open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CONNECTOR, expectFailure, Site } from '../harness/site.ts';

const MIB = 1024 * 1024;

describe('what goes wrong while an engine works', () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.start({ shareMiB: 64 });
  }, 120_000);
  afterAll(async () => site.stop(), 60_000);

  async function partial(atLeast: number): Promise<string> {
    for (let waited = 0; waited < 60_000; waited += 100) {
      const name = (await readdir(site.share)).find((each) => each.endsWith('.partial'));
      const file = join(site.share, name ?? '');
      if (name && (await stat(file)).size >= atLeast) return file;
      await sleep(100);
    }
    throw new Error('no partial file of that size came');
  }

  it('no permission to write', async () => {
    const job = await site.end(await site.begin({ to: site.target('readonly') }));
    expectFailure(job, 'SMB_ACCESS_DENIED');
    expect(await readdir(join(site.folder, 'readonly'))).toEqual([]);
    await site.expectNoTrace(job);
  }, 120_000);

  it('a share that runs full half-way', async () => {
    const id = await site.begin();
    await partial(MIB);
    await writeFile(join(site.share, 'filler'), Buffer.alloc(64 * MIB, 1)).catch(() => undefined);
    const job = await site.end(id);
    expectFailure(job, 'SHARE_FULL');
    await site.expectNoTrace(job, ['filler']);
    await rm(join(site.share, 'filler'));
  }, 120_000);

  it('one byte flipped in the file server before verification', async () => {
    const id = await site.begin();
    const file = await partial(20 * MIB);
    const handle = await open(file, 'r+');
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, 12 * MIB);
    buffer[0] = (buffer[0] ?? 0) ^ 0x10;
    await handle.write(buffer, 0, 1, 12 * MIB);
    await handle.close();
    const job = await site.end(id);
    expectFailure(job, 'HASH_MISMATCH');
    await site.expectNoTrace(job);
  }, 120_000);

  it('a target that appears between verified and commit: its bytes survive', async () => {
    const id = await site.begin();
    await site.waitFor(id, (job) => job.step === 'copy' || job.step === 'verify');
    // Without the cloud there is no grant: the job goes on to "verified" and waits there.
    await site.deployment.cloud.stop('SIGKILL');
    await reachesStep(id, 'commit');
    await writeFile(join(site.share, 'golden.vhdx'), 'somebody else');
    await site.deployment.restartCloud();
    const job = await site.end(id);
    expectFailure(job, 'TARGET_EXISTS');
    await site.expectNoTrace(job, ['golden.vhdx']);
    expect(await readFile(join(site.share, 'golden.vhdx'), 'utf8')).toBe('somebody else');
    await rm(join(site.share, 'golden.vhdx'));
  }, 180_000);

  it('a timeout', async () => {
    const job = await site.end(await site.begin({ more: ['--timeout', '6s'] }));
    expectFailure(job, 'JOB_TIMEOUT');
    await site.expectNoTrace(job);
  }, 120_000);

  for (const step of ['connectEngine', 'copy', 'verify'] as const) {
    it(`a cancel during ${step}`, async () => {
      const id = await site.begin();
      await site.waitFor(id, (job) => job.step === step);
      // The look of expectNoTrace for engines would be worth nothing if it never saw one.
      expect(await site.engines()).toHaveLength(1);
      await site.deployment.mustRun(['job', 'cancel', id]);
      const job = await site.end(id);
      expect(job.state).toBe('cancelled');
      expect(job.error?.code).toBe('JOB_CANCELLED');
      await site.expectNoTrace(job);
    }, 120_000);
  }

  /** Looks into the connector's outbox, since without the cloud nobody else can be asked. */
  async function reachesStep(jobId: string, step: string): Promise<void> {
    const journal = new DatabaseSync(join(site.deployment.folder, CONNECTOR, 'journal.db'), { readOnly: true });
    try {
      for (let waited = 0; waited < 90_000; waited += 250) {
        const rows = journal.prepare('SELECT body FROM outbox WHERE job_id = ?').all(jobId);
        if (rows.some(({ body }) => JSON.parse(String(body)).step === step)) return;
        await sleep(250);
      }
      throw new Error(`the job did not reach ${step}`);
    } finally {
      journal.close();
    }
  }
});
