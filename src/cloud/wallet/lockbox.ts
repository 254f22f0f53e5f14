/**
 * How a secret lies in the database: encrypted with a data key of its own (AES-256-GCM), which is itself encrypted with
 * the wallet key from a 0600 file. Both carry the identity of their place (customer, name, version) as additional
 * data: a ciphertext that is moved to another row does not open.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import type { RandomSource } from '../../lib/random.ts';
import { IpsError } from '../../protocol/errors.ts';

export interface Box {
  nonce: string;
  ciphertext: string;
  tag: string;
}

export interface Locked {
  v: 1;
  /** The data key, under the wallet key. */
  key: Box;
  /** The secret, under the data key. */
  secret: Box;
}

export interface Place {
  customerId: string;
  name: string;
  version: number;
}

const KEY_BYTES = 32;
/** NIST SP 800-38D section 8.2.2: a random nonce of 96 bits. */
const NONCE_BYTES = 12;

export class Lockbox {
  readonly #walletKey: Buffer;
  readonly #random: RandomSource;

  /** @param walletKey 32 bytes */
  constructor(walletKey: Buffer, random: RandomSource) {
    if (walletKey.length !== KEY_BYTES) throw new IpsError('CREDENTIAL_UNREADABLE', 'The wallet key is damaged.');
    this.#walletKey = walletKey;
    this.#random = random;
  }

  lock(plaintext: string, place: Place): Locked {
    const dataKey = this.#random.bytes(KEY_BYTES);
    try {
      return {
        v: 1,
        key: encrypt(this.#walletKey, this.#random.bytes(NONCE_BYTES), dataKey, additional('key', place)),
        secret: encrypt(dataKey, this.#random.bytes(NONCE_BYTES), Buffer.from(plaintext), additional('secret', place)),
      };
    } finally {
      dataKey.fill(0);
    }
  }

  /** @throws IpsError CREDENTIAL_UNREADABLE when the wallet key, the place or a single bit is not the right one */
  unlock(locked: Locked, place: Place): string {
    try {
      const dataKey = decrypt(this.#walletKey, locked.key, additional('key', place));
      try {
        return decrypt(dataKey, locked.secret, additional('secret', place)).toString('utf8');
      } finally {
        dataKey.fill(0);
      }
    } catch (error) {
      throw new IpsError('CREDENTIAL_UNREADABLE', `It is "${place.name}", version ${place.version}.`, { cause: error });
    }
  }

  /** A hash that only the holder of the wallet key can compute: for short secrets, which a plain hash would not hide. */
  keyedHash(purpose: string, text: string): string {
    const key = Buffer.from(hkdfSync('sha256', this.#walletKey, '', `ips.wallet.v1 ${purpose}`, KEY_BYTES));
    return createHmac('sha256', key).update(text).digest('hex');
  }
}

function additional(part: 'key' | 'secret', { customerId, name, version }: Place): Buffer {
  return Buffer.from(JSON.stringify(['ips.wallet.v1', part, customerId, name, version]));
}

function encrypt(key: Buffer, nonce: Buffer, plaintext: Buffer, place: Buffer): Box {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(place);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return {
    nonce: nonce.toString('base64'),
    ciphertext: ciphertext.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
  };
}

function decrypt(key: Buffer, box: Box, place: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(box.nonce, 'base64'), { authTagLength: 16 });
  decipher.setAAD(place);
  decipher.setAuthTag(Buffer.from(box.tag, 'base64'));
  return Buffer.concat([decipher.update(Buffer.from(box.ciphertext, 'base64')), decipher.final()]);
}
