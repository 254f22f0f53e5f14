/** A cancel in each step before the grant ends the job as cancelled and leaves nothing. */
import { afterEach, expect, it } from '@jest/globals';
import { JOB_ID, PARTIAL, Site, TOKEN, until } from './site.ts';

let site: Site;
afterEach(() => site.close());

function expectCancelled(): void {
  expect(site.ended()).toMatchObject({
    state: 'cancelled',
    error: { code: 'JOB_CANCELLED' },
    result: { leftovers: [] },
  });
  expect(site.platform.share.files.size).toBe(0);
  expect(site.platform.machines.size).toBe(0);
  expect(site.openRows()).toBe(0);
}

async function cancelWhen(condition: () => boolean): Promise<void> {
  const run = site.run();
  await until(condition);
  site.cancel();
  site.platform.releaseCall();
  await run;
  expectCancelled();
}

it('cancelled before the worker started', async () => {
  site = await Site.open();
  site.journal.requestCancel(JOB_ID, TOKEN);
  await site.run();
  expectCancelled();
  expect(site.platform.calls).toEqual([]);
});

it('cancelled while the credentials are waited for', async () => {
  site = await Site.open();
  site.isCloudAway = true;
  await cancelWhen(() => site.sent.some(({ type }) => type === 'credentials'));
  expect(site.platform.calls).toEqual([]);
});

it.each(['preflight', 'create', 'address', 'removeUserData'])(
  'cancelled while the platform is at "%s"',
  async (call) => {
    site = await Site.open({ script: { holdCall: call } });
    await cancelWhen(() => site.platform.calls.includes(call));
  },
);

it('cancelled while the engine boots', async () => {
  site = await Site.open({ script: { mute: true } });
  await cancelWhen(() => site.platform.calls.filter((call) => call === 'alive').length > 1);
});

it.each(['copy', 'verify'] as const)('cancelled during %s', async (gate) => {
  site = await Site.open({ script: { holdAt: gate } });
  await cancelWhen(() => site.job.steps[gate] !== undefined && site.platform.share.files.has(PARTIAL));
  expect(site.platform.engines[0]?.requests).toContain('POST /v1/cancel');
});

it('cancelled while the cloud is asked for the grant', async () => {
  site = await Site.open();
  site.grant = new Promise(() => undefined);
  await cancelWhen(() => site.sent.some(({ type }) => type === 'commit'));
});

it('is told by the cloud that a cancel came first', async () => {
  site = await Site.open();
  site.grant = Promise.resolve({ code: 'JOB_CANCELLED', message: 'The job was cancelled.', hint: 'Start it again.' });
  await site.run();
  expectCancelled();
  expect(site.commits).toBe(0);
});
