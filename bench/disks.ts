/** The disks that are measured: sparse raw files, the same bytes on every machine, made from a seed. */
import { open } from 'node:fs/promises';
import { seededBytes, seededNumber } from '../test/fixtures/seeded-bytes.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

export interface BenchDisk {
  name: string;
  about: string;
  /** Bytes. */
  size: number;
  /** Pieces of data, ascending; bytes. */
  pieces: { offset: number; length: number }[];
}

/** Small files far apart: what a file system that spreads its data makes of a fresh installation. */
function strewn(): BenchDisk {
  const size = 8 * GIB;
  const pieces: BenchDisk['pieces'] = [];
  for (let place = 0; place < size; place += 16 * MIB) {
    const seed = `strewn ${place}`;
    const offset = place + 4 * KIB * seededNumber(`${seed} offset`, 0, 3600);
    pieces.push({ offset, length: 4 * KIB * seededNumber(`${seed} length`, 1, 360) });
  }
  return { name: 'strewn', about: 'pieces of 4 KiB to 1.4 MiB, some 16 MiB apart', size, pieces };
}

/** Pieces of all sizes between gaps of all sizes, a third in use: a model of a disk that was lived on. */
function aged(): BenchDisk {
  const size = 4 * GIB;
  const pieces: BenchDisk['pieces'] = [];
  for (let offset = 0; offset < size; ) {
    // 64 KiB to 16 MiB, as often from each doubling to the next.
    const doubling = 64 * KIB * 2 ** seededNumber(`aged ${offset} doubling`, 0, 7);
    const length = 4 * KIB * seededNumber(`aged ${offset} length`, doubling / (4 * KIB), (2 * doubling) / (4 * KIB));
    pieces.push({ offset, length: Math.min(length, size - offset) });
    offset += length * seededNumber(`aged ${offset} gap`, 2, 4);
  }
  return { name: 'aged', about: 'pieces of 64 KiB to 16 MiB, a third in use', size, pieces };
}

export const DISKS = [strewn(), aged()];

export async function writeDisk({ name, size, pieces }: BenchDisk, path: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.truncate(size);
    for (const { offset, length } of pieces) {
      await file.write(seededBytes(`${name} ${offset}`, length), 0, length, offset);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}
