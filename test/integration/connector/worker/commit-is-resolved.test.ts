/** After the grant what happened on the share is found out, whatever becomes of engine, connection and cancel. */
import { afterEach, expect, it } from '@jest/globals';
import { MADE_FILE_BYTES } from '../../../doubles/engine.ts';
import { PARTIAL, Site, until } from './site.ts';

let site: Site;
afterEach(() => site.close());

const IN_PLACE = [['disk.vhdx', MADE_FILE_BYTES]];

it.each(['before', 'after'] as const)('commits again when the connection broke %s the rename', async (moment) => {
  site = await Site.open({ script: { breakCommit: moment } });
  await site.run();
  expect(site.ended().state).toBe('complete');
  expect([...site.platform.share.files]).toEqual(IN_PLACE);
  expect(site.commits).toBe(2);
});

it('leaves a file alone that appeared under the final name', async () => {
  site = await Site.open();
  const granted = Promise.withResolvers<undefined>();
  site.grant = granted.promise;
  const run = site.run();
  await until(() => site.sent.some(({ type }) => type === 'commit'));
  site.platform.share.write('disk.vhdx', 5);
  granted.resolve(undefined);
  await run;
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code: 'TARGET_EXISTS' }, result: { leftovers: [] } });
  expect([...site.platform.share.files]).toEqual([['disk.vhdx', 5]]);
});

it('ignores a cancel', async () => {
  site = await Site.open({ script: { holdAt: 'commit' } });
  const run = site.run();
  await until(() => site.commits > 0);
  site.cancel();
  site.engine.release();
  await run;
  expect(site.ended().state).toBe('complete');
});

it('ends as complete when the engine was lost after the rename', async () => {
  site = await Site.open({ script: { holdAt: 'commit' } });
  const run = site.run();
  await until(() => site.commits > 0);
  site.platform.share.rename(PARTIAL, 'disk.vhdx');
  await site.platform.crash();
  await run;
  expect(site.ended()).toMatchObject({ state: 'complete', result: { export: { file: 'disk.vhdx' }, leftovers: [] } });
  expect([...site.platform.share.files]).toEqual(IN_PLACE);
});

it('ends as failed when the engine was lost before the rename, and removes the partial file', async () => {
  site = await Site.open({ script: { holdAt: 'commit' } });
  const run = site.run();
  await until(() => site.commits > 0);
  await site.platform.crash();
  await run;
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code: 'ENGINE_LOST' }, result: { leftovers: [] } });
  expect(site.platform.share.files.size).toBe(0);
});

it('does not take a file of another length for its own', async () => {
  site = await Site.open({ script: { holdAt: 'commit' } });
  const run = site.run();
  await until(() => site.commits > 0);
  site.platform.share.remove(PARTIAL);
  site.platform.share.write('disk.vhdx', 5);
  await site.platform.crash();
  await run;
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code: 'ENGINE_LOST' } });
  expect([...site.platform.share.files]).toEqual([['disk.vhdx', 5]]);
});

it('says so when nobody can know', async () => {
  site = await Site.open({ script: { holdAt: 'commit' }, limits: { cleanupTimeoutSeconds: 2 } });
  const run = site.run();
  await until(() => site.commits > 0);
  site.platform.share.failure = 'SMB_UNREACHABLE';
  await site.platform.crash();
  await run;
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code: 'COMMIT_UNKNOWN' } });
  expect(site.ended().result.leftovers).toMatchObject([{ kind: 'share-file', name: PARTIAL }]);
});

it('commits on a grant that an earlier worker stored, and a teardown does not take it back', async () => {
  site = await Site.open();
  await site.runToTheGrant();
  await site.run('teardown');
  expect(site.ended().state).toBe('complete');
  expect([...site.platform.share.files]).toEqual(IN_PLACE);
});

it('fails, and no file stays, when the deadline of the engine passed while nobody spoke to it', async () => {
  site = await Site.open();
  await site.runToTheGrant();
  await site.platform.crash();
  await site.run();
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code: 'ENGINE_LOST' }, result: { leftovers: [] } });
  expect(site.platform.share.files.size).toBe(0);
});

it('asks again when the file server failed the engine, but not for a log-on that it refuses', async () => {
  site = await Site.open({ script: { commitFails: ['SMB_UNREACHABLE', 'SMB_FAILED', 'SMB_LOGON_FAILED'] } });
  site.clock.haste = 20;
  await site.run();
  expect(site.ended()).toMatchObject({
    state: 'failed',
    error: { code: 'SMB_LOGON_FAILED' },
    result: { leftovers: [] },
  });
  expect(site.commits).toBe(3);
  expect(site.platform.share.files.size).toBe(0);
});
