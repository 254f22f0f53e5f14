/** Where the connector cannot reach the share, the engine's word counts: that it removed its partial file, or could not. */
import { afterEach, expect, it } from '@jest/globals';
import { PARTIAL, Site, until } from './site.ts';

let site: Site;
afterEach(() => site.close());

async function cancelDuringCopy(cannotDiscard: boolean): Promise<void> {
  const limits = cannotDiscard ? { cleanupTimeoutSeconds: 2 } : {};
  site = await Site.open({ script: { holdAt: 'copy', cannotDiscard }, limits });
  site.platform.share.failure = 'SMB_UNREACHABLE';
  const run = site.run();
  await until(() => site.platform.share.files.has(PARTIAL));
  site.cancel();
  await run;
  expect(site.ended().state).toBe('cancelled');
}

it('believes that the file is removed', async () => {
  await cancelDuringCopy(false);
  expect(site.ended().result.leftovers).toEqual([]);
  expect(site.platform.share.files.size).toBe(0);
});

it('tells the file as left when the engine could not remove it', async () => {
  await cancelDuringCopy(true);
  expect(site.ended().result.leftovers).toMatchObject([{ kind: 'share-file', name: PARTIAL }]);
});
