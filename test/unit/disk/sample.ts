/** Disks to test with: the same bytes for the same seed, as a sparse raw file or in memory. */
import { createCipheriv } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { DataRange } from '../../../src/disk/allocation-map.ts';
import { MIB } from '../../../src/disk/units.ts';

export const IDENTITY = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');

/** Numbers below one, always the same for a seed (mulberry32). */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Bytes without pattern, always the same for a seed. */
export function noise(length: number, seed: number): Buffer {
  const key = Buffer.alloc(16);
  key.writeDoubleLE(seed);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/**
 * Ranges of data here and there on a disk: at its first sector, at its last, and between, of all sorts of lengths, most not
 * aligned to anything but sectors.
 */
export function scattered(size: number, seed: number): DataRange[] {
  const random = chance(seed);
  const ranges: DataRange[] = [{ offset: 0, length: 512 }];
  if (size === 512) {
    return ranges;
  }
  let position = 512;
  for (;;) {
    const gap = Math.floor(random() ** 3 * 20 * MIB) + 512;
    const length = Math.floor(random() ** 3 * 6 * MIB) + 512;
    const offset = position + gap - ((position + gap) % 512);
    if (offset + length > size - 4096) {
      break;
    }
    ranges.push({ offset, length: length - (length % 512) });
    position = offset + length;
  }
  ranges.push({ offset: size - 512, length: 512 });
  return ranges;
}

/** Writes a sparse raw file whose data ranges hold noise. */
export async function writeRaw(path: string, size: number, ranges: readonly DataRange[]): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.truncate(size);
    for (const { offset, length } of ranges) {
      await file.write(noise(length, offset + 1), 0, length, offset);
    }
  } finally {
    await file.close();
  }
}

/** The same disk in memory. */
export function rawBytes(size: number, ranges: readonly DataRange[]): Buffer {
  const bytes = Buffer.alloc(size);
  for (const { offset, length } of ranges) {
    noise(length, offset + 1).copy(bytes, offset);
  }
  return bytes;
}
