/**
 * The keys of an engine, derived and never stored: HKDF-SHA256 (RFC 5869) of the connector's engine secret with job,
 * token and a label. "boot" goes into the VM's user data, "session" replaces it over the first connection. Whoever
 * restarts a worker derives the same keys again.
 */
import { createHash, hkdfSync } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { type Files, isErrno } from '../lib/files.ts';
import type { RandomSource } from '../lib/random.ts';
import { IpsError } from '../protocol/errors.ts';
import type { Token } from '../protocol/token.ts';

const SECRET_BYTES = 32;
const KEY_BYTES = 32;
const IDENTITY_BYTES = 16;
const SALT = 'ips.engine-key.v1';

/**
 * Reads the engine secret, or makes it: 64 hex digits in a file of mode 0600.
 * @throws IpsError FILE_NOT_PRIVATE when others may read it, CONFIG_INVALID when it holds something else
 */
export async function engineSecret(path: string, files: Files, random: RandomSource): Promise<Buffer> {
  const made = `${random.bytes(SECRET_BYTES).toString('hex')}\n`;
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) throw new IpsError('FILE_NOT_PRIVATE', path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    await files.createExclusively(path, made).catch((failure: unknown) => {
      // Another worker was faster: its secret is the one.
      if (!isErrno(failure, 'EEXIST')) throw failure;
    });
  }
  const text = (await readFile(path, 'utf8')).trim();
  if (!/^[0-9a-f]{64}$/.test(text)) throw new IpsError('CONFIG_INVALID', `${path} is no engine secret.`);
  return Buffer.from(text, 'hex');
}

/** The pre-shared key (32 bytes) of an engine for its boot or its session. */
export function engineKey(secret: Buffer, jobId: string, token: Token, label: 'boot' | 'session'): Buffer {
  const info = JSON.stringify([jobId, token, label]);
  return Buffer.from(hkdfSync('sha256', secret, SALT, info, KEY_BYTES));
}

/** What marks a file on the share as made by this job and token: 16 bytes, hex. No secret. */
export function fileIdentity(jobId: string, token: Token): string {
  return createHash('sha256')
    .update(JSON.stringify(['ips.identity.v1', jobId, token]))
    .digest()
    .subarray(0, IDENTITY_BYTES)
    .toString('hex');
}
