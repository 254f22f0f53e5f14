/**
 * The hard disk footer of a VHD: the last 512 bytes of the file, big-endian.
 * "Virtual Hard Disk Image Format Specification" 1.0 (Microsoft, October 2006), "Hard Disk Footer Format" and the appendix
 * "CHS Calculation".
 */
import type { RandomAccess } from '../access.ts';
import { readStructure } from '../access.ts';
import { DiskError } from '../error.ts';
import { GIB, SECTOR } from '../units.ts';

export const FOOTER_LENGTH = 512;

/** What Hyper-V and qemu take for the largest VHD, bytes (the format's own sector counts end here). */
export const VHD_MAX_SIZE = 2040 * GIB;

const COOKIE = 'conectix';
const FEATURE_RESERVED = 0x00000002; // "This bit must always be set to 1"
const FORMAT_VERSION = 0x00010000;
const NO_DATA_OFFSET = 0xffffffffffffffffn; // fixed disks
const CHECKSUM_AT = 64;

const DISK_TYPE_FIXED = 2;

/**
 * Creator application. qemu (block/vpc.c) believes the footer's Current Size only for the tags of programs it knows to
 * fill it in truthfully, and else computes the size from the rounded geometry. `win ` is Hyper-V's.
 */
const CREATOR_APPLICATION = 'win ';
const CREATOR_VERSION = 0x000a0000;
const CREATOR_HOST_OS = 'Wi2k';

export interface VhdFooter {
  /** Current Size, bytes: the disk's length. */
  readonly currentSize: number;
  readonly uniqueId: Buffer;
}

/** @param size bytes; @throws DiskError SIZE_UNSUPPORTED for a length that a VHD cannot carry exactly */
export function checkVhdSize(size: number): void {
  if (!Number.isSafeInteger(size) || size <= 0 || size % SECTOR !== 0) {
    throw new DiskError('SIZE_UNSUPPORTED', `a VHD holds whole sectors of ${SECTOR} bytes, not ${size} bytes`);
  }
  if (size > VHD_MAX_SIZE) {
    throw new DiskError('SIZE_UNSUPPORTED', `a VHD holds at most ${VHD_MAX_SIZE} bytes (2040 GiB), not ${size}`);
  }
}

/** The footer of a fixed disk. Its time stamp is left at zero: this library has no clock. */
export function fixedFooter({ currentSize, uniqueId }: VhdFooter): Buffer {
  const footer = Buffer.alloc(FOOTER_LENGTH);
  footer.write(COOKIE, 0, 'latin1');
  footer.writeUInt32BE(FEATURE_RESERVED, 8);
  footer.writeUInt32BE(FORMAT_VERSION, 12);
  footer.writeBigUInt64BE(NO_DATA_OFFSET, 16);
  footer.write(CREATOR_APPLICATION, 28, 'latin1');
  footer.writeUInt32BE(CREATOR_VERSION, 32);
  footer.write(CREATOR_HOST_OS, 36, 'latin1');
  footer.writeBigUInt64BE(BigInt(currentSize), 40); // Original Size
  footer.writeBigUInt64BE(BigInt(currentSize), 48);
  const { cylinders, heads, sectorsPerTrack } = geometry(currentSize / SECTOR);
  footer.writeUInt16BE(cylinders, 56);
  footer.writeUInt8(heads, 58);
  footer.writeUInt8(sectorsPerTrack, 59);
  footer.writeUInt32BE(DISK_TYPE_FIXED, 60);
  uniqueId.copy(footer, 68);
  footer.writeUInt32BE(checksum(footer), CHECKSUM_AT);
  return footer;
}

/**
 * Reads the footer of a fixed VHD and checks it against the file's length. The disk's length is Current Size, never the
 * geometry.
 * @throws DiskError TRUNCATED, VHD_FOOTER_INVALID, VHD_TYPE_UNSUPPORTED
 */
export async function readFixedFooter(access: RandomAccess): Promise<VhdFooter> {
  const at = access.size - FOOTER_LENGTH;
  if (at < 0) {
    throw new DiskError('TRUNCATED', `the file has ${access.size} bytes, less than a VHD footer`, { offset: 0 });
  }
  const footer = await readStructure(access, at, FOOTER_LENGTH, 'footer');
  const invalid = (message: string, field: string, within: number) =>
    new DiskError('VHD_FOOTER_INVALID', message, { field, offset: at + within });
  if (footer.toString('latin1', 0, 8) !== COOKIE) {
    throw invalid(`the file does not end in a VHD footer: no "${COOKIE}"`, 'Cookie', 0);
  }
  if (footer.readUInt32BE(CHECKSUM_AT) !== checksum(footer)) {
    throw invalid('the footer does not have its checksum', 'Checksum', CHECKSUM_AT);
  }
  if (footer.readUInt16BE(12) !== FORMAT_VERSION >>> 16) {
    throw invalid(`format version ${footer.readUInt16BE(12)} is not known`, 'File Format Version', 12);
  }
  const type = footer.readUInt32BE(60);
  if (type !== DISK_TYPE_FIXED) {
    throw new DiskError('VHD_TYPE_UNSUPPORTED', `disk type ${type} is not a fixed disk`, {
      field: 'Disk Type',
      offset: at + 60,
    });
  }
  const currentSize = Number(footer.readBigUInt64BE(48));
  if (currentSize !== at) {
    throw invalid(`the disk has ${currentSize} bytes, but ${at} bytes lie before the footer`, 'Current Size', 48);
  }
  if (currentSize === 0 || currentSize % SECTOR !== 0) {
    throw invalid(`${currentSize} bytes are not a whole number of sectors`, 'Current Size', 48);
  }
  return { currentSize, uniqueId: footer.subarray(68, 84) };
}

/** The one's complement of the sum of all bytes but the checksum's own. */
function checksum(footer: Buffer): number {
  let sum = 0;
  for (let at = 0; at < FOOTER_LENGTH; at++) {
    if (at < CHECKSUM_AT || at >= CHECKSUM_AT + 4) {
      sum += footer[at] as number;
    }
  }
  return ~sum >>> 0;
}

/** The appendix "CHS Calculation". Programs of today ignore it; those that do not see a slightly smaller disk. */
function geometry(totalSectors: number): { cylinders: number; heads: number; sectorsPerTrack: number } {
  const sectors = Math.min(totalSectors, 65535 * 16 * 255);
  let sectorsPerTrack = 255;
  let heads = 16;
  let tracks = Math.floor(sectors / sectorsPerTrack);
  if (sectors < 65535 * 16 * 63) {
    sectorsPerTrack = 17;
    tracks = Math.floor(sectors / sectorsPerTrack);
    heads = Math.max(4, Math.floor((tracks + 1023) / 1024));
    if (tracks >= heads * 1024 || heads > 16) {
      sectorsPerTrack = 31;
      heads = 16;
      tracks = Math.floor(sectors / sectorsPerTrack);
    }
    if (tracks >= heads * 1024) {
      sectorsPerTrack = 63;
      heads = 16;
      tracks = Math.floor(sectors / sectorsPerTrack);
    }
  }
  return { cylinders: Math.floor(tracks / heads), heads, sectorsPerTrack };
}
