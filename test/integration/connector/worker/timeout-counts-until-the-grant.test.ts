/** The timeout counts from acceptance until the grant, over restarts, and not after it. */
import { afterEach, expect, it } from '@jest/globals';
import { MADE_FILE_BYTES } from '../../../doubles/engine.ts';
import { Site, until } from './site.ts';

let site: Site;
afterEach(() => site.close());

it('ends a copy that takes too long', async () => {
  site = await Site.open({ script: { holdAt: 'copy' }, limits: { timeoutSeconds: 2 } });
  await site.run();
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code: 'JOB_TIMEOUT' }, result: { leftovers: [] } });
  expect(site.platform.share.files.size).toBe(0);
  expect(site.platform.machines.size).toBe(0);
});

it('ends the wait for a cloud that is away', async () => {
  site = await Site.open({ limits: { timeoutSeconds: 6 } });
  site.grant = new Promise(() => undefined);
  await site.run();
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code: 'JOB_TIMEOUT' } });
  expect(site.platform.share.files.size).toBe(0);
  expect(site.grantsAsked).toBe(1);
  expect(site.sent).toContainEqual({ type: 'withdrawn', requestId: expect.any(String) });
});

it('is over at once for a worker that starts too late', async () => {
  site = await Site.open({ limits: { timeoutSeconds: 1 } });
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await site.run();
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code: 'JOB_TIMEOUT' } });
  expect(site.platform.calls).toEqual([]);
});

it('does not count after the grant', async () => {
  site = await Site.open({ script: { holdAt: 'commit' }, limits: { timeoutSeconds: 6 } });
  const run = site.run();
  await until(() => site.job.phase === 'committing');
  await new Promise((resolve) => setTimeout(resolve, 6_100));
  expect(site.commits).toBe(1);
  site.engine.release();
  await run;
  expect(site.ended().state).toBe('complete');
  expect([...site.platform.share.files]).toEqual([['disk.vhdx', MADE_FILE_BYTES]]);
});
