/** mount.cifs and smbclient must mean the same account: what they would read differently, or cut, is not stored. */
import { describe, expect, it } from '@jest/globals';
import { credentialSecretSchema } from '../../../src/protocol/sealed.ts';

function problems(part: { username?: string; password?: string; domain?: string }): string[] {
  const secret = { type: 'UsernamePassword', username: 'exporter', password: 'secret', ...part };
  const { error } = credentialSecretSchema.safeParse(secret);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('a user name', () => {
  it.each(['exporter', 'svc-images$', "o'neil", 'Jörg Müller', 'exporter@lab.example', 'x'.repeat(255)])(
    'may be %s',
    (username) => {
      expect(problems({ username })).toEqual([]);
    },
  );

  it.each(['LAB\\exporter', 'LAB/exporter', 'LAB\\exp,orter'])(
    '%s: the domain is to be given separately',
    (username) => {
      expect(problems({ username })).toEqual([expect.stringMatching(/^username: .*--domain/)]);
    },
  );

  it.each([...'"[]:;|=,+*?<>%', '\t', '\n', '\0', '\x7f'])('has no %j', (character) => {
    expect(problems({ username: `a${character}b` })).toEqual([expect.stringMatching(/^username: /)]);
  });

  it('is not longer than what mount.cifs reads', () => {
    expect(problems({ username: 'ü'.repeat(128) })).toEqual(['username: a user name has at most 255 bytes']);
  });

  it('that has its domain in it goes with no other', () => {
    expect(problems({ username: 'exporter@lab.example', domain: 'LAB' })).toEqual([expect.stringMatching(/^domain: /)]);
  });
});

describe('a domain', () => {
  it.each(['LAB', 'lab.example', 'LAB-1_x'])('may be %s', (domain) => {
    expect(problems({ domain })).toEqual([]);
  });

  it.each(['', 'LAB,ip=10.6.6.6', 'LAB\\x', 'LAB/x', 'a\nb', 'x'.repeat(256)])('is not %j', (domain) => {
    expect(problems({ domain })).toEqual([expect.stringMatching(/^domain: /)]);
  });
});

describe('a password', () => {
  it.each([' p,a ss=w%"ö\' ', 'x'.repeat(128), 'ü'.repeat(64)])('may be %s', (password) => {
    expect(problems({ password })).toEqual([]);
  });

  it.each(['x'.repeat(129), 'ü'.repeat(65), 'two\nlines', 'a\0b'])(
    'is not %j, and the refusal does not quote it',
    (password) => {
      expect(problems({ password })).toEqual([expect.stringMatching(/^password: a password has /)]);
      expect(problems({ password }).join()).not.toContain(password);
    },
  );
});
