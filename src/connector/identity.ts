/**
 * The appliance's own keys: Ed25519 to say who is calling, X25519 to open credentials. They are made when it pairs,
 * lie in 0600 files and never leave the machine.
 */
import { type KeyObject, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Files, isErrno } from '../lib/files.ts';
import type { RandomSource } from '../lib/random.ts';
import { exportPublicKey, newPrivateKey, readPrivateKey } from '../lib/seal.ts';
import { IpsError, isIpsError } from '../protocol/errors.ts';
import type { StatePaths } from './state-folder.ts';

const ENGINE_SECRET_BYTES = 32;

export interface Identity {
  signKey: KeyObject;
  sealKey: KeyObject;
}

/**
 * The keys that an unfinished pairing has left, or new ones. The cloud may have paired the old ones already, and its
 * answer was lost: it knows them again.
 */
export async function loadOrCreateIdentity(paths: StatePaths, files: Files, random: RandomSource): Promise<Identity> {
  try {
    return await loadIdentity(paths);
  } catch (error) {
    if (!isIpsError(error)) throw error;
    return await createIdentity(paths, files, random);
  }
}

/** Makes new keys, replacing what lies there. Each is on the disk before this returns. */
export async function createIdentity(paths: StatePaths, files: Files, random: RandomSource): Promise<Identity> {
  const [signKey, sealKey] = [newPrivateKey('ed25519'), newPrivateKey('x25519')];
  await files.writeDurably(paths.signKey, signKey);
  await files.writeDurably(paths.sealKey, sealKey);
  await files.writeDurably(paths.engineSecret, `${random.bytes(ENGINE_SECRET_BYTES).toString('hex')}\n`);
  return { signKey: readPrivateKey(signKey), sealKey: readPrivateKey(sealKey) };
}

/** @throws IpsError CONNECTOR_REFUSED when a key is lost or damaged: without it nobody can be proved to be us */
export async function loadIdentity(paths: StatePaths): Promise<Identity> {
  return { signKey: await loadKey(paths.signKey, 'ed25519'), sealKey: await loadKey(paths.sealKey, 'x25519') };
}

async function loadKey(path: string, type: 'ed25519' | 'x25519'): Promise<KeyObject> {
  try {
    const key = readPrivateKey(await readFile(path, 'utf8'));
    if (key.asymmetricKeyType === type) return key;
  } catch (error) {
    if (isErrno(error, 'EACCES')) throw error;
  }
  throw new IpsError('CONNECTOR_REFUSED', `${path} is missing or holds no ${type} key.`);
}

/** Raw public halves, base64url, as they go into a pairing. */
export function publicKeys(identity: Identity): { signKey: string; sealKey: string } {
  return { signKey: exportPublicKey(identity.signKey), sealKey: exportPublicKey(identity.sealKey) };
}

/** Ed25519 signature (RFC 8032) over the text's UTF-8 bytes, base64url. */
export function signText(identity: Identity, text: string): string {
  return sign(null, Buffer.from(text, 'utf8'), identity.signKey).toString('base64url');
}
