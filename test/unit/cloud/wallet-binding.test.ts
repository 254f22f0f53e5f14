import { describe, expect, it } from '@jest/globals';
import { Lockbox, type Locked } from '../../../src/cloud/wallet/lockbox.ts';
import { systemRandom } from '../../../src/lib/random.ts';

const place = { customerId: 'cus-a', name: 'share', version: 1 };
const secret = '{"password":"a planted secret"}';

describe('a locked secret', () => {
  const lockbox = new Lockbox(Buffer.alloc(32, 1), systemRandom());
  const locked = lockbox.lock(secret, place);

  it('opens in its place', () => {
    expect(lockbox.unlock(locked, place)).toBe(secret);
  });

  it.each([
    ['customer', { ...place, customerId: 'cus-b' }],
    ['credential', { ...place, name: 'other' }],
    ['version', { ...place, version: 2 }],
  ])('does not open as that of another %s', (_what, elsewhere) => {
    expect(() => lockbox.unlock(locked, elsewhere)).toThrow(expect.objectContaining({ code: 'CREDENTIAL_UNREADABLE' }));
  });

  it('does not open with parts of another one, with another wallet key, or with a bit flipped', () => {
    const other = lockbox.lock(secret, { ...place, name: 'other' });
    const flipped = Buffer.from(locked.secret.ciphertext, 'base64');
    flipped[0] = (flipped[0] ?? 0) ^ 1;
    const damaged: Locked[] = [
      { ...locked, key: other.key },
      { ...locked, secret: other.secret },
      { ...locked, key: locked.secret },
      { ...locked, secret: { ...locked.secret, ciphertext: flipped.toString('base64') } },
    ];
    for (const each of damaged) expect(() => lockbox.unlock(each, place)).toThrow('could not be opened');
    const stranger = new Lockbox(Buffer.alloc(32, 2), systemRandom());
    expect(() => stranger.unlock(locked, place)).toThrow('could not be opened');
  });

  it('has a data key of its own, and shows nothing of the secret', () => {
    const again = lockbox.lock(secret, place);
    expect(again.key.ciphertext).not.toBe(locked.key.ciphertext);
    expect(again.secret.ciphertext).not.toBe(locked.secret.ciphertext);
    expect(Buffer.from(locked.secret.ciphertext, 'base64').toString('latin1')).not.toContain('planted');
  });
});
