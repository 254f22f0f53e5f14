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

it('cannot be served, and says why', async () => {
  site = await Site.open({ script: { claimRefused: 'SOURCE_NOT_HERE' } });
  expect(await claim()).toMatchObject([{ type: 'claimed', error: { code: 'SOURCE_NOT_HERE' } }]);
});

it.each(['CONFIG_INVALID', 'INTERNAL'] as const)(
  'is left without an answer by trouble that may pass: %s',
  async (code) => {
    site = await Site.open({ script: { claimRefused: code } });
    await expect(claim()).rejects.toMatchObject({ code });
    expect(site.sent).toEqual([]);
  },
);
