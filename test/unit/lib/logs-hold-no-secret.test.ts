/** What a log line keeps and what it leaves out. */
import { describe, expect, it } from '@jest/globals';
import { redact } from '../../../src/lib/logging.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { IpsError } from '../../../src/protocol/errors.ts';

describe('a log line', () => {
  it.each([
    'password',
    'smbPassword',
    'passphrase',
    'clientSecret',
    'apiToken',
    'token',
    'authorization',
    'psk',
    'privateKey',
    'pairingCode',
    'envelope',
  ])('holds no value of a field that is called %s, however deep', (name) => {
    expect(redact({ job: [{ [name]: 'planted', other: 'seen' }] })).toEqual({
      job: [{ [name]: '[redacted]', other: 'seen' }],
    });
  });

  it('holds no value that travels as a secret, whatever its field is called', () => {
    expect(JSON.stringify(redact({ harmless: new Secret('planted') }))).not.toContain('planted');
  });

  it('shows a lease token, which is none', () => {
    expect(redact({ jobId: 'job-a', token: '3.17' })).toEqual({ jobId: 'job-a', token: '3.17' });
  });

  it('shows of an error its code, its hint and what caused it', () => {
    const error = new IpsError('SHARE_FULL', 'It is //files/images.', { cause: new Error('ENOSPC') });
    expect(redact({ error })).toMatchObject({
      error: { code: 'SHARE_FULL', hint: error.hint, message: error.message, cause: { message: 'ENOSPC' } },
    });
  });
});
