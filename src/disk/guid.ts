/**
 * GUIDs, in text and in the byte order of Microsoft's formats (first three fields little-endian), and identifiers derived
 * from a seed. There is no randomness in this library: the same seed gives the same identifiers, so a file found later can
 * be recognised by whoever knows the seed.
 */
import { createHash } from 'node:crypto';
import { DiskError } from './error.ts';

export const GUID_LENGTH = 16;
export const SEED_LENGTH = 16;

/** Text such as `2DC27766-F623-4200-9D64-115E9BFD4A08` to the 16 bytes that stand in a file ([MS-DTYP] 2.3.4.2). */
export function guidBytes(text: string): Buffer {
  return swapFields(Buffer.from(text.replaceAll('-', ''), 'hex'));
}

/** The 16 bytes that stand in a file to lower-case text. */
export function guidText(bytes: Buffer): string {
  const hex = swapFields(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/**
 * Derives one identifier, as a version 8 UUID (RFC 9562 section 5.8) in a file's byte order.
 * @param seed 16 bytes that name the file among all files
 * @param purpose which of the file's identifiers
 * @throws DiskError MISUSE for a seed of another length
 */
export function deriveGuid(seed: Buffer, purpose: string): Buffer {
  if (seed.length !== SEED_LENGTH) {
    throw new DiskError('MISUSE', `an identity seed has ${SEED_LENGTH} bytes, not ${seed.length}`);
  }
  const bytes = createHash('sha256').update(seed).update(purpose).digest().subarray(0, GUID_LENGTH);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return swapFields(bytes);
}

function swapFields(bytes: Buffer): Buffer {
  const swapped = Buffer.from(bytes);
  swapped.subarray(0, 4).reverse();
  swapped.subarray(4, 6).reverse();
  swapped.subarray(6, 8).reverse();
  return swapped;
}
