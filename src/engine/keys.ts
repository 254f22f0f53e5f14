/**
 * Which key opens what. The boot key opens the session path, once; when a session key is set, the boot key opens
 * nothing and the session key everything. Keys stay in memory.
 */
import { timingSafeEqual } from 'node:crypto';
import { BOOT_IDENTITY, SESSION_IDENTITY } from '../protocol/engine.ts';
import { IpsError } from '../protocol/errors.ts';

export class EngineKeys {
  readonly #boot: Buffer;
  #session: Buffer | undefined;

  /** @param boot 32 bytes, hexadecimal */
  constructor(boot: string) {
    this.#boot = Buffer.from(boot, 'hex');
  }

  /** The key that a client of this name must have, or null when the name opens nothing (now). */
  keyFor(identity: string): Buffer | null {
    if (identity === SESSION_IDENTITY) return this.#session ?? null;
    if (identity === BOOT_IDENTITY) return this.#session === undefined ? this.#boot : null;
    return null;
  }

  /** Whether a connection that proved `identity` at its start may still ask for something. */
  allows(identity: string | undefined, isSessionPath: boolean): boolean {
    if (this.#session === undefined) return identity === BOOT_IDENTITY && isSessionPath;
    return identity === SESSION_IDENTITY;
  }

  /**
   * Sets the session key, once; the same key again changes nothing.
   * @param key 32 bytes, hexadecimal
   * @throws IpsError ENGINE_REFUSED for another one
   */
  setSession(key: string): void {
    const bytes = Buffer.from(key, 'hex');
    if (this.#session === undefined) this.#session = bytes;
    else if (!timingSafeEqual(this.#session, bytes)) throw new IpsError('ENGINE_REFUSED', 'It has a session already.');
  }
}
