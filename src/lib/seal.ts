/**
 * Sealing a message to the holder of an X25519 key: ephemeral X25519, HKDF-SHA256, AES-256-GCM. The construction is
 * that of RFC 9180 in its base mode in spirit, written with Node's own primitives; key and nonce come from the HKDF,
 * and since each message has its own ephemeral key, no nonce repeats.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';

export interface Sealed {
  v: 1;
  epk: string;
  ciphertext: string;
  tag: string;
}

const INFO = 'ips.seal.v1';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;

/** A raw 32-byte X25519 or Ed25519 public key (RFC 8410), base64url, as a key object. */
export function importPublicKey(curve: 'X25519' | 'Ed25519', raw: string): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: curve, x: raw }, format: 'jwk' });
}

/** The raw public half of a key, base64url. */
export function exportPublicKey(key: KeyObject): string {
  const jwk = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  if (typeof jwk.x !== 'string') throw new Error('not an OKP key');
  return jwk.x;
}

/**
 * Seals `plaintext` so that only the holder of `recipient`'s private key can open it.
 * @param place additional data: opening needs the very same text
 */
export function seal(recipient: KeyObject, plaintext: string, place: string): Sealed {
  const ephemeral = generateKeyPairSync('x25519');
  const epk = exportPublicKey(ephemeral.publicKey);
  const secret = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: recipient });
  const { key, nonce } = derive(secret, epk, exportPublicKey(recipient));
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(place, 'utf8'));
  const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
  return { v: 1, epk, ciphertext: ciphertext.toString('base64url'), tag: cipher.getAuthTag().toString('base64url') };
}

/** @throws Error when the key, the place or a single bit is not the right one */
export function unseal(recipient: KeyObject, sealed: Sealed, place: string): string {
  const secret = diffieHellman({ privateKey: recipient, publicKey: importPublicKey('X25519', sealed.epk) });
  const { key, nonce } = derive(secret, sealed.epk, exportPublicKey(recipient));
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
  decipher.setAAD(Buffer.from(place, 'utf8'));
  decipher.setAuthTag(Buffer.from(sealed.tag, 'base64url'));
  return Buffer.concat([decipher.update(Buffer.from(sealed.ciphertext, 'base64url')), decipher.final()]).toString(
    'utf8',
  );
}

function derive(secret: Buffer, epk: string, recipient: string): { key: Buffer; nonce: Buffer } {
  const salt = Buffer.concat([Buffer.from(epk, 'base64url'), Buffer.from(recipient, 'base64url')]);
  const bytes = Buffer.from(hkdfSync('sha256', secret, salt, INFO, KEY_BYTES + NONCE_BYTES));
  return { key: bytes.subarray(0, KEY_BYTES), nonce: bytes.subarray(KEY_BYTES) };
}

/** A new private key as PKCS #8 PEM, for a 0600 file. */
export function newPrivateKey(curve: 'x25519' | 'ed25519'): string {
  const pair = curve === 'x25519' ? generateKeyPairSync('x25519') : generateKeyPairSync('ed25519');
  return pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

export function readPrivateKey(pem: string): KeyObject {
  return createPrivateKey(pem);
}
