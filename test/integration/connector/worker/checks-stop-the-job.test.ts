/** A critical finding ends the job with its code, before anything is made; a warning does not. */
import { afterEach, expect, it } from '@jest/globals';
import type { ErrorCode } from '../../../../src/protocol/errors.ts';
import { VIRTUAL_SIZE } from '../../../doubles/provider.ts';
import { Site } from './site.ts';

let site: Site;
afterEach(() => site.close());

function expectNothingMade(code: ErrorCode): void {
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code } });
  const critical = site.bodies('findings').flatMap(({ findings }) => findings.filter((f) => f.severity === 'critical'));
  expect(critical.map((finding) => finding.code)).toContain(code);
  expect(site.platform.calls).not.toContain('create');
  expect(site.bodies('ledger')).toEqual([]);
}

it('stops at a critical finding of the provider', async () => {
  const finding = { severity: 'critical', code: 'SOURCE_NOT_FOUND', message: 'It is not there.' } as const;
  site = await Site.open({ script: { findings: [finding] } });
  await site.run();
  expectNothingMade('SOURCE_NOT_FOUND');
  expect(site.ended().error?.message).toBe('It is not there.');
});

it('stops when the target exists, and leaves it alone', async () => {
  site = await Site.open();
  site.platform.share.write('disk.vhdx', 77);
  await site.run();
  expectNothingMade('TARGET_EXISTS');
  expect([...site.platform.share.files]).toEqual([['disk.vhdx', 77]]);
});

it('warns when the share has less room than a growing file may come to need', async () => {
  site = await Site.open({ script: { dataBytes: 5000 } });
  site.platform.share.freeBytes = 4999;
  await site.run();
  expect(site.ended().state).toBe('complete');
  const findings = site.bodies('findings').flatMap((body) => body.findings);
  const message = '4999 bytes are free, up to 5000 are needed.';
  expect(findings).toMatchObject([{ severity: 'warning', code: 'SHARE_SPACE', message, remedy: expect.any(String) }]);
});

it.each([
  [VIRTUAL_SIZE + 511, 'failed'],
  [VIRTUAL_SIZE + 512, 'complete'],
])('of a fixed file needs its full length: with %d bytes free it is %s', async (freeBytes, state) => {
  site = await Site.open({ format: 'vhd', script: { dataBytes: 1 } });
  site.platform.share.freeBytes = freeBytes;
  await site.run();
  expect(site.ended().state).toBe(state);
  if (state === 'failed') expectNothingMade('SHARE_FULL');
});

it.each(['SMB_LOGON_FAILED', 'SMB_SHARE_NOT_FOUND', 'SMB_FOLDER_NOT_FOUND'] as const)('stops at %s', async (code) => {
  site = await Site.open();
  site.platform.share.failure = code;
  await site.run();
  expectNothingMade(code);
});

it('goes on when only the engine may reach the share', async () => {
  site = await Site.open();
  site.platform.share.failure = 'SMB_UNREACHABLE';
  await site.run();
  expect(site.ended().state).toBe('complete');
  const findings = site.bodies('findings').flatMap((body) => body.findings);
  expect(findings).toMatchObject([{ severity: 'warning', code: 'SMB_UNREACHABLE' }]);
});

it('sends not one packet when the credential is not for this share', async () => {
  site = await Site.open({ allowedTargets: ['smb://files.test/other'] });
  await site.run();
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code: 'CREDENTIAL_TARGET_REFUSED' } });
  expect(site.platform.share.calls).toEqual([]);
  expect(site.platform.calls).toEqual([]);
});

it('tells no secret when a credential cannot be opened', async () => {
  site = await Site.open();
  site.journal.storeEnvelopes(site.job.jobId, site.job.token, [{ ...site.envelope(), version: 2 }]);
  await site.run();
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code: 'CREDENTIAL_UNREADABLE' } });
  expect(site.credentialRequests).toEqual([]);
});
