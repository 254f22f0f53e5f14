/** Teardown has its own time: neither a cancel nor the timeout of the job ends it sooner, or changes the outcome. */
import { afterEach, expect, it } from '@jest/globals';
import { Site, until } from './site.ts';

let site: Site;
afterEach(() => site.close());

async function whileTearingDown(disturb: () => void | Promise<void>): Promise<void> {
  site = await Site.open({ script: { undead: true }, limits: { timeoutSeconds: 8, cleanupTimeoutSeconds: 60 } });
  const run = site.run();
  await until(() => site.job.phase === 'finishing' && site.platform.calls.includes('destroy'));
  await disturb();
  const before = site.platform.calls.length;
  await until(() => site.platform.calls.length > before);
  expect(site.job.phase).toBe('finishing');
  site.platform.script = {};
  await run;
  expect(site.ended()).toMatchObject({ state: 'complete', result: { leftovers: [] } });
  expect(site.platform.machines.size).toBe(0);
}

it('a cancel', async () => {
  await whileTearingDown(() => site.cancel());
});

it('the timeout', async () => {
  const started = performance.now();
  await whileTearingDown(async () => {
    await until(() => performance.now() - started > 8_500);
  });
});
