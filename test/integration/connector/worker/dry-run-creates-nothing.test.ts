/** A dry run ends after the checks: findings, and not one thing made. */
import { afterEach, expect, it } from '@jest/globals';
import { Site } from './site.ts';

let site: Site;
afterEach(() => site.close());

it('tells its findings and creates nothing', async () => {
  site = await Site.open({ dryRun: true });
  await site.run();
  expect(site.ended()).toEqual({ kind: 'ended', state: 'complete', result: { leftovers: [] } });
  expect(site.bodies('findings').flatMap(({ findings }) => findings.map(({ code }) => code))).toEqual(['SHARE_SPACE']);
  expect(site.bodies('step').map(({ step }) => step)).toEqual(['credentials', 'preflight']);
  expect(site.bodies('ledger')).toEqual([]);
  expect(site.platform.calls.filter((call) => call !== 'share')).toEqual(['preflight']);
  expect(site.platform.share.calls).toEqual(['probe', 'size']);
  expect(site.platform.share.files.size).toBe(0);
});

it('fails as the real run would when a check is critical', async () => {
  site = await Site.open({ dryRun: true });
  site.platform.share.write('disk.vhdx', 1);
  await site.run();
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code: 'TARGET_EXISTS' } });
});
