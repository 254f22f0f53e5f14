/** A worker whose lease is lost tears down what it made and commits nothing. */
import { afterEach, expect, it } from '@jest/globals';
import { PARTIAL, Site, until } from './site.ts';

let site: Site;
afterEach(() => site.close());

it('tears down during the copy', async () => {
  site = await Site.open({ script: { holdAt: 'copy' } });
  const run = site.run();
  await until(() => site.platform.share.files.has(PARTIAL));
  site.stop();
  await run;
  expect(site.ended()).toMatchObject({ state: 'cancelled', error: { code: 'LEASE_LOST' } });
  expect(site.platform.share.files.size).toBe(0);
  expect(site.platform.machines.size).toBe(0);
});

it('does not commit when the grant and the loss of the lease come together', async () => {
  site = await Site.open();
  const granted = Promise.withResolvers<undefined>();
  site.grant = granted.promise;
  const run = site.run();
  await until(() => site.sent.some(({ type }) => type === 'commit'));
  site.journal.requestStop(site.job.jobId, site.job.token);
  granted.resolve(undefined);
  await run;
  expect(site.ended()).toMatchObject({ state: 'cancelled', error: { code: 'LEASE_LOST' } });
  expect(site.platform.engines[0]?.requests).not.toContain('POST /v1/commit');
  expect(site.platform.share.files.size).toBe(0);
});
