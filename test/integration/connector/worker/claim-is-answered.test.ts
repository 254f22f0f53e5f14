/** A claim is answered by the provider alone: no job, no journal, no lock. */
import { afterEach, expect, it } from '@jest/globals';
import { runClaim } from '../../../../src/connector/worker/main.ts';
import { Site } from './site.ts';

let site: Site;
afterEach(() => site.close());

async function claim(): Promise<unknown> {
  const answered = runClaim(site.environment());
  site.tell({ type: 'claim', parameters: site.job.parameters });
  await answered;
  return site.sent;
}

it('can be served', async () => {
  site = await Site.open();
  expect(await claim()).toEqual([{ type: 'claimed' }]);
  expect(site.platform.calls).toEqual(['claim']);
});

it.each(['SOURCE_NOT_HERE', 'CONFIG_INVALID'] as const)('cannot be served, and says why: %s', async (code) => {
  site = await Site.open({ script: { claimRefused: code } });
  expect(await claim()).toMatchObject([{ type: 'claimed', error: { code } }]);
});

it('is left without an answer by trouble that may pass', async () => {
  site = await Site.open({ script: { claimRefused: 'INTERNAL' } });
  await expect(claim()).rejects.toMatchObject({ code: 'INTERNAL' });
  expect(site.sent).toEqual([]);
});
