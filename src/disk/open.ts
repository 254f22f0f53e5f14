/**
 * Opens a disk of a named format. The format is never guessed on the way: a machine can write any signature into its own
 * raw disk, and would then choose what is read.
 */
import type { RandomAccess } from './access.ts';
import type { Disk } from './disk.ts';
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
