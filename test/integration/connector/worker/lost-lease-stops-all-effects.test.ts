/**
 * A worker whose lease is lost tears down what it made and commits nothing. After the grant it says what is on the share:
 * it may have renamed before.
 */
import { afterEach, expect, it } from '@jest/globals';
import { MADE_FILE_BYTES } from '../../../doubles/engine.ts';
import { JOB_ID, PARTIAL, Site, TOKEN, until } from './site.ts';

let site: Site;
afterEach(() => site.close());

function expectLost(state: 'cancelled' | 'failed'): void {
  expect(site.ended()).toMatchObject({ state, error: { code: 'LEASE_LOST' }, result: { leftovers: [] } });
  expect(site.platform.share.files.size).toBe(0);
  expect(site.platform.machines.size).toBe(0);
}

function expectInPlace(): void {
  expect(site.ended()).toMatchObject({ state: 'complete', result: { export: { file: 'disk.vhdx' }, leftovers: [] } });
  expect([...site.platform.share.files]).toEqual([['disk.vhdx', MADE_FILE_BYTES]]);
  expect(site.platform.machines.size).toBe(0);
}

it('tears down during the copy', async () => {
  site = await Site.open({ script: { holdAt: 'copy' } });
  const run = site.run();
  await until(() => site.platform.share.files.has(PARTIAL));
  site.stop();
  await run;
  expectLost('cancelled');
});

it('does not commit when the grant and the loss of the lease come together', async () => {
  site = await Site.open();
  const granted = Promise.withResolvers<undefined>();
  site.grant = granted.promise;
  const run = site.run();
  await until(() => site.grantsAsked > 0);
  site.journal.requestStop(JOB_ID, TOKEN);
  granted.resolve(undefined);
  await run;
  expectLost('cancelled');
  expect(site.commits).toBe(0);
});

it('takes the engine away from a commit under way', async () => {
  site = await Site.open({ script: { holdAt: 'commit' } });
  const run = site.run();
  await until(() => site.commits > 0);
  site.stop();
  await run;
  expectLost('failed');
  expect(site.commits).toBe(1);
});

it('tells a commit under way that had renamed before', async () => {
  site = await Site.open({ script: { holdAt: 'commit' } });
  const run = site.run();
  await until(() => site.commits > 0);
  site.platform.share.rename(PARTIAL, 'disk.vhdx');
  site.stop();
  await run;
  expectInPlace();
});

it('commits nothing on a grant that an earlier worker stored', async () => {
  site = await Site.open();
  await site.runToTheGrant();
  site.journal.requestStop(JOB_ID, TOKEN);
  await site.run();
  expectLost('failed');
  expect(site.commits).toBe(0);
  expect(site.grantsAsked).toBe(1);
});

it('tells what an earlier worker had renamed', async () => {
  site = await Site.open();
  await site.runToTheGrant();
  site.platform.share.rename(PARTIAL, 'disk.vhdx');
  site.journal.requestStop(JOB_ID, TOKEN);
  await site.run();
  expectInPlace();
});

it('ends the wait for a cloud that an earlier worker had the grant from', async () => {
  site = await Site.open();
  await site.runToTheGrant();
  site.grant = new Promise(() => undefined);
  const run = site.run();
  await until(() => site.grantsAsked === 2);
  site.stop();
  await run;
  expectLost('failed');
  expect(site.commits).toBe(0);
});

it('does not say that nothing is there when it cannot look', async () => {
  site = await Site.open({ script: { holdAt: 'commit' }, limits: { cleanupTimeoutSeconds: 1 } });
  const run = site.run();
  await until(() => site.commits > 0);
  site.platform.share.failure = 'SMB_UNREACHABLE';
  site.stop();
  await run;
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code: 'COMMIT_UNKNOWN' } });
  expect(site.platform.machines.size).toBe(0);
});
