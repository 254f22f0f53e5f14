/**
 * Opens a disk of a named format. The format is never guessed on the way: a machine can write any signature into its own
 * raw disk, and would then choose what is read. `detectFormat` is for people who ask what a file is.
 */
import type { RandomAccess } from './access.ts';
import type { Disk } from './disk.ts';
import { DiskError } from './error.ts';
import { RawDisk } from './raw.ts';
import { VhdFixedDisk } from './vhd/fixed-disk.ts';
import { VhdxDisk } from './vhdx/vhdx-disk.ts';

export type DiskFormat = 'raw' | 'vhd' | 'vhdx';

/**
 * @param access closed with the disk; stays open, and the caller's, when this throws
 * @throws DiskError the format's own codes
 */
export async function openDisk(access: RandomAccess, format: DiskFormat): Promise<Disk> {
  switch (format) {
    case 'raw':
      return new RawDisk(access);
    case 'vhd':
      return await VhdFixedDisk.open(access);
    case 'vhdx':
      return await VhdxDisk.open(access);
  }
}

/**
 * Says what a file looks like, by its signature alone. A raw disk has none.
 * @throws DiskError FORMAT_UNKNOWN
 */
export async function detectFormat(access: RandomAccess): Promise<'vhd' | 'vhdx'> {
  const startsAt = async (offset: number, signature: string) => {
    if (offset < 0 || offset + signature.length > access.size) {
      return false;
    }
    const bytes = Buffer.alloc(signature.length);
    await access.read(offset, bytes);
    return bytes.toString('latin1') === signature;
  };
  if (await startsAt(0, 'vhdxfile')) {
    return 'vhdx';
  }
  if ((await startsAt(0, 'conectix')) || (await startsAt(access.size - 512, 'conectix'))) {
    return 'vhd';
  }
  throw new DiskError('FORMAT_UNKNOWN', 'the file has no signature of a known format', { offset: 0 });
}
