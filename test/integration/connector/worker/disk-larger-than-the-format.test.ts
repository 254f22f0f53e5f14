/** What the target format cannot hold is told before anything is made. */
import { afterEach, expect, it, jest } from '@jest/globals';
import { ProviderDouble } from '../../../doubles/provider.ts';
import { Site } from './site.ts';

let site: Site;
afterEach(async () => {
  jest.restoreAllMocks();
  await site.close();
});

const GIB = 1024 ** 3;

it.each([
  ['vhd', 2040 * GIB, 'complete'],
  ['vhd', 2040 * GIB + 512, 'failed'],
  ['vhdx', 64 * 1024 * GIB, 'complete'],
  ['vhdx', 64 * 1024 * GIB + 512, 'failed'],
] as const)('%s of %d bytes: %s', async (format, virtualSize, state) => {
  const view = { serial: 'ips-source', virtualSize, dataBytes: 1 };
  jest.spyOn(ProviderDouble.prototype, 'describeSource').mockResolvedValue(view);
  site = await Site.open({ format });
  site.platform.share.freeBytes = virtualSize + GIB;
  await site.run();
  expect(site.ended().state).toBe(state);
  if (state === 'complete') return;
  expect(site.ended().error).toMatchObject({
    code: 'TARGET_FORMAT_REFUSED',
    hint: expect.stringContaining('resize'),
  });
  expect(site.platform.calls).not.toContain('create');
});
