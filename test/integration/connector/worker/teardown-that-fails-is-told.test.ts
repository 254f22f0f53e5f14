/** What cannot be removed in time is told with its true outcome, and a later teardown removes it. */
import { afterEach, expect, it } from '@jest/globals';
import type { ErrorReport } from '../../../../src/protocol/errors.ts';
import { JOB_ID, PARTIAL, Site, TOKEN, until } from './site.ts';

let site: Site;
afterEach(() => site.close());

/** The cloud refuses the grant; from then on the share refuses the connector. */
async function refusedWhileTheShareRefuses(): Promise<ErrorReport> {
  await until(() => site.sent.some(({ type }) => type === 'commit'));
  site.platform.share.failure = 'SMB_ACCESS_DENIED';
  return { code: 'LEASE_LOST', message: 'Lost.', hint: 'None.' };
}

it('ends complete with a leftover machine, and the next teardown takes it away without a second end', async () => {
  site = await Site.open({ script: { undead: true }, limits: { cleanupTimeoutSeconds: 2 } });
  await site.run();
  const name = `vm-${JOB_ID}-${TOKEN}`;
  expect(site.ended()).toMatchObject({
    state: 'complete',
    result: { leftovers: [{ kind: 'vm', name, platformId: name, removeWith: `destroy ${name}` }] },
  });
  expect(site.job.phase).toBe('leftover');
  expect(site.job.envelopes).toBeDefined();

  site.platform.script = {};
  await site.run('teardown');
  expect(site.openRows()).toBe(0);
  expect(site.job.phase).toBe('leftover');
  expect(site.job.envelopes).toBeUndefined();
  expect(site.bodies('ended')).toHaveLength(1);
});

it('tells a partial file that nobody can remove', async () => {
  site = await Site.open({ script: { cannotDiscard: true }, limits: { cleanupTimeoutSeconds: 2 } });
  site.grant = refusedWhileTheShareRefuses();
  await site.run();
  expect(site.ended()).toMatchObject({ state: 'cancelled', error: { code: 'LEASE_LOST' } });
  expect(site.ended().result.leftovers).toMatchObject([{ kind: 'share-file', name: PARTIAL }]);
});

it('asks for a teardown credential when the journal has none that opens', async () => {
  site = await Site.open({ script: { cannotDiscard: true }, limits: { cleanupTimeoutSeconds: 2 } });
  site.grant = refusedWhileTheShareRefuses();
  await site.run();
  site.platform.share.failure = undefined;
  site.journal.storeEnvelopes(JOB_ID, TOKEN, [{ ...site.envelope(), version: 9 }]);
  await site.run('teardown');
  expect(site.credentialRequests).toEqual(['run', 'teardown']);
  expect(site.openRows()).toBe(0);
});
