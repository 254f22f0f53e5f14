/** The boot key opens the session path and nothing else, and nothing at all once there is a session. */
import { describe, expect, it } from '@jest/globals';
import { EngineKeys } from '../../../src/engine/keys.ts';
import { BOOT_IDENTITY, SESSION_IDENTITY } from '../../../src/protocol/engine.ts';

const boot = '11'.repeat(32);
const session = '22'.repeat(32);

describe('engine keys', () => {
  it('before a session: the boot key, for the session path', () => {
    const keys = new EngineKeys(boot);
    expect(keys.keyFor(BOOT_IDENTITY)?.toString('hex')).toBe(boot);
    expect(keys.keyFor(SESSION_IDENTITY)).toBeNull();
    expect(keys.keyFor('')).toBeNull();
    expect(keys.allows(BOOT_IDENTITY, true)).toBe(true);
    expect(keys.allows(BOOT_IDENTITY, false)).toBe(false);
    expect(keys.allows(undefined, true)).toBe(false);
  });

  it('with a session: the session key, for everything', () => {
    const keys = new EngineKeys(boot);
    keys.setSession(session);
    expect(keys.keyFor(BOOT_IDENTITY)).toBeNull();
    expect(keys.keyFor(SESSION_IDENTITY)?.toString('hex')).toBe(session);
    expect(keys.allows(SESSION_IDENTITY, false)).toBe(true);
    expect(keys.allows(SESSION_IDENTITY, true)).toBe(true);
  });

  it('a boot connection from before the session opens nothing after it', () => {
    const keys = new EngineKeys(boot);
    keys.setSession(session);
    expect(keys.allows(BOOT_IDENTITY, true)).toBe(false);
    expect(keys.allows(BOOT_IDENTITY, false)).toBe(false);
  });

  it('takes the same session key again and refuses another', () => {
    const keys = new EngineKeys(boot);
    keys.setSession(session);
    expect(() => keys.setSession(session)).not.toThrow();
    expect(() => keys.setSession(boot)).toThrow(expect.objectContaining({ code: 'ENGINE_REFUSED' }));
    expect(keys.keyFor(SESSION_IDENTITY)?.toString('hex')).toBe(session);
  });
});
