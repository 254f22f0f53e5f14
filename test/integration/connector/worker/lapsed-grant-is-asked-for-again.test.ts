/**
 * The commit is sent only within one lease of when its grant was asked for. A worker that was paused for longer, or that
 * starts anew, asks again, however long the cloud is away; when the answer is no, the share tells what happened.
 */
import { afterEach, expect, it } from '@jest/globals';
import { IpsError } from '../../../../src/protocol/errors.ts';
import { MADE_FILE_BYTES } from '../../../doubles/engine.ts';
import { LEASE_TTL_MS, PARTIAL, Site, until } from './site.ts';

let site: Site;
afterEach(() => site.close());

const REFUSED = new IpsError('LEASE_LOST').report();
const IN_PLACE = [['disk.vhdx', MADE_FILE_BYTES]];

/** A site whose first worker is paused for so long, just as it is about to send the commit; meanwhile things happen. */
async function pausedFor(ms: number, meanwhile: () => void = () => undefined): Promise<void> {
  let pauses = 1;
  site = await Site.open({
    watcher: {
      before: (_door, point) => {
        if (point !== 'engine.commit' || pauses-- <= 0) return;
        site.clock.leap(ms);
        meanwhile();
      },
      after: () => undefined,
    },
  });
}

it('after a pause within the lease is still good', async () => {
  await pausedFor(LEASE_TTL_MS / 2);
  await site.run();
  expect(site.ended().state).toBe('complete');
  expect([site.grantsAsked, site.commits]).toEqual([1, 1]);
});

it('after a longer pause is asked for again, and given', async () => {
  await pausedFor(LEASE_TTL_MS);
  await site.run();
  expect(site.ended().state).toBe('complete');
  expect([...site.platform.share.files]).toEqual(IN_PLACE);
  expect([site.grantsAsked, site.commits]).toEqual([2, 1]);
});

it('after a longer pause is asked for again, and refused: nothing is committed', async () => {
  await pausedFor(LEASE_TTL_MS, () => {
    site.grant = Promise.resolve(REFUSED);
  });
  await site.run();
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code: 'LEASE_LOST' }, result: { leftovers: [] } });
  expect(site.platform.share.files.size).toBe(0);
  expect([site.grantsAsked, site.commits]).toEqual([2, 0]);
});

it('is not asked for without end when the engine takes commits and never answers', async () => {
  site = await Site.open({
    script: { breakCommit: 'always' },
    watcher: {
      before: (_door, point) => {
        if (point === 'engine.commit') site.clock.leap(LEASE_TTL_MS * 0.6);
      },
      after: () => undefined,
    },
  });
  site.clock.haste = 10;
  await site.run();
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code: 'ENGINE_LOST' }, result: { leftovers: [] } });
  expect(site.grantsAsked).toBe(5);
});

it('by a new worker is asked for anew, and neither cancel nor timeout ends that', async () => {
  site = await Site.open({ limits: { timeoutSeconds: 7 } });
  await site.runToTheGrant();
  const granted = Promise.withResolvers<undefined>();
  site.grant = granted.promise;
  const run = site.run();
  await until(() => site.grantsAsked === 2);
  site.cancel();
  await new Promise((resolve) => setTimeout(resolve, 7_500));
  expect([site.job.phase, site.commits]).toEqual(['committing', 0]);
  granted.resolve(undefined);
  await run;
  expect(site.ended().state).toBe('complete');
  expect([...site.platform.share.files]).toEqual(IN_PLACE);
});

it('by a new worker is refused: nothing is committed', async () => {
  site = await Site.open();
  await site.runToTheGrant();
  site.grant = Promise.resolve(REFUSED);
  await site.run();
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code: 'LEASE_LOST' }, result: { leftovers: [] } });
  expect(site.platform.share.files.size).toBe(0);
  expect(site.commits).toBe(0);
});

it('by a new worker is refused, and the file is in place', async () => {
  site = await Site.open();
  await site.runToTheGrant();
  site.platform.share.rename(PARTIAL, 'disk.vhdx');
  site.grant = Promise.resolve(REFUSED);
  await site.run();
  expect(site.ended()).toMatchObject({ state: 'complete', result: { leftovers: [] } });
  expect([...site.platform.share.files]).toEqual(IN_PLACE);
});
