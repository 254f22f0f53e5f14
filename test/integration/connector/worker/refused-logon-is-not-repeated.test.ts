/**
 * A password that was changed since the job began: teardown asks the cloud once for the new one. Where that is refused
 * too, it stops at once, since more tries would lock the user out, and the next sweep tries again.
 */
import { afterEach, expect, it } from '@jest/globals';
import { PARTIAL, passwordOf, Site, until } from './site.ts';

let site: Site;
afterEach(() => site.close());

/** A cancel during the copy, from when on the server takes another password; the engine leaves its file behind. */
async function cancelWhenPasswordIs(version: number): Promise<void> {
  site = await Site.open({ script: { holdAt: 'copy', cannotDiscard: true } });
  const run = site.run();
  await until(() => site.platform.share.files.has(PARTIAL));
  site.platform.share.password = passwordOf(version);
  site.platform.share.calls.length = 0;
  site.credentialRequests.length = 0;
  site.credentialVersion = 2;
  site.cancel();
  await run;
  expect(site.ended().state).toBe('cancelled');
}

it('removes the file with the new password, and keeps that one', async () => {
  await cancelWhenPasswordIs(2);
  expect(site.ended().result.leftovers).toEqual([]);
  expect(site.platform.share.files.size).toBe(0);
  expect(site.credentialRequests).toEqual(['teardown']);
  expect(site.platform.share.calls).toHaveLength(2);
});

it('ends the round when the new one is refused too, with the machine gone', async () => {
  await cancelWhenPasswordIs(3);
  expect(site.ended().result.leftovers).toMatchObject([{ kind: 'share-file', name: PARTIAL }]);
  expect(site.platform.machines.size).toBe(0);
  expect(site.credentialRequests).toEqual(['teardown']);
  expect(site.platform.share.calls).toHaveLength(2);
  expect(site.job.envelopes).toMatchObject([{ version: 2 }]);

  // A sweep: one try with what it has; the cloud has nothing newer, which needs no second one.
  await site.run('teardown');
  expect(site.credentialRequests).toEqual(['teardown', 'teardown']);
  expect(site.platform.share.calls).toHaveLength(3);
  expect(site.openRows()).toBe(1);

  site.credentialVersion = 3;
  await site.run('teardown');
  expect(site.openRows()).toBe(0);
  expect(site.platform.share.files.size).toBe(0);
});

it('does not try on while the cloud is asked', async () => {
  site = await Site.open({ script: { holdAt: 'copy', cannotDiscard: true }, limits: { cleanupTimeoutSeconds: 3 } });
  const run = site.run();
  await until(() => site.platform.share.files.has(PARTIAL));
  site.platform.share.password = passwordOf(2);
  site.platform.share.calls.length = 0;
  site.isCloudAway = true;
  site.cancel();
  await until(() => site.credentialRequests.length > 1);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(site.platform.share.calls).toHaveLength(1);
  site.isCloudAway = false;
  site.credentialVersion = 2;
  site.answerCredentials();
  await run;
  expect(site.openRows()).toBe(0);
});

it('of a committed file leaves it unknown whether it is in place', async () => {
  site = await Site.open({ script: { holdAt: 'commit' } });
  const run = site.run();
  await until(() => site.commits > 0);
  site.platform.share.password = passwordOf(3);
  site.platform.share.calls.length = 0;
  site.credentialVersion = 2;
  await site.platform.crash();
  await run;
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code: 'COMMIT_UNKNOWN' } });
  expect(site.platform.share.calls).toHaveLength(2);
});
