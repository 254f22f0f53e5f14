/** A fault that may pass ends a worker, not its job; only a job that was given up ends by it, and says what is known. */
import { afterEach, expect, it } from '@jest/globals';
import type { JobLock } from '../../../../src/connector/job-lock.ts';
import { runWorker } from '../../../../src/connector/worker/main.ts';
import { TestClock } from '../../../unit/connector/daemon/doubles.ts';
import { JOB_ID, Site, TOKEN } from './site.ts';

let site: Site;
afterEach(() => site.close());

const cannotBeOpened = expect.objectContaining({ code: 'CONFIG_INVALID' });

it('lets the next worker go on', async () => {
  site = await Site.open();
  site.providerFailures = 1;
  await expect(site.run()).rejects.toEqual(cannotBeOpened);
  expect(site.job).toMatchObject({ phase: 'running', outcome: undefined });
  expect(site.bodies('ended')).toEqual([]);
  await site.run();
  expect(site.ended().state).toBe('complete');
});

it('leaves a granted commit to the next worker', async () => {
  site = await Site.open();
  await site.runToTheGrant();
  site.providerFailures = 1;
  await expect(site.run()).rejects.toEqual(cannotBeOpened);
  expect(site.job).toMatchObject({ phase: 'committing', outcome: undefined });
  await site.run();
  expect(site.ended().state).toBe('complete');
});

it('ends a job that was given up, with what is left', async () => {
  site = await Site.open();
  site.providerFailures = 1;
  await site.run('teardown');
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code: 'CONFIG_INVALID' }, result: { leftovers: [] } });
});

it('ends a granted job that was given up as one of which nobody knows', async () => {
  site = await Site.open();
  await site.runToTheGrant();
  site.providerFailures = 1;
  await site.run('teardown');
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code: 'COMMIT_UNKNOWN' } });
  expect(
    site
      .ended()
      .result.leftovers.map(({ kind }) => kind)
      .sort(),
  ).toEqual(['share-file', 'vm']);
});

it('leaves a sweep to the next one', async () => {
  site = await Site.open({ script: { undead: true }, limits: { cleanupTimeoutSeconds: 1 } });
  await site.run();
  site.providerFailures = 1;
  await expect(site.run('teardown')).rejects.toEqual(cannotBeOpened);
  expect(site.openRows()).toBe(1);
  expect(site.bodies('ended')).toHaveLength(1);
});

it('waits for an earlier worker however long that takes, and says so', async () => {
  site = await Site.open();
  const clock = new TestClock();
  const free = Promise.withResolvers<JobLock>();
  const environment = { ...site.environment(), acquireLock: () => free.promise };
  const waiting = runWorker({ ...environment, clock }, JOB_ID, TOKEN, 'run');
  clock.advance(2_000);
  expect(site.logged).toContain('waiting for an earlier worker of this job to end');
  expect(clock.timers).toBe(0);
  const failure = expect(waiting).rejects.toThrow('not now');
  free.reject(new Error('not now'));
  await failure;
  expect(site.job).toMatchObject({ phase: 'running', outcome: undefined });
});
