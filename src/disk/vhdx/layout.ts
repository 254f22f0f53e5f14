/**
 * Constants of the VHDX format: [MS-VHDX] "Virtual Hard Disk v2 (VHDX) File Format", version 1. All numbers in a file are
 * little-endian; all places and lengths here are bytes.
 */
import { guidBytes } from '../guid.ts';
import { KIB, MIB, TIB } from '../units.ts';

/** Section 2.2: the first MiB of the file. */
export const FILE_IDENTIFIER_AT = 0;
export const HEADER_PLACES = [64 * KIB, 128 * KIB] as const;
export const REGION_TABLE_PLACES = [192 * KIB, 256 * KIB] as const;
export const HEADER_SECTION_LENGTH = MIB;

export const FILE_SIGNATURE = 'vhdxfile';
export const HEADER_LENGTH = 4 * KIB;
export const REGION_TABLE_LENGTH = 64 * KIB;
export const METADATA_TABLE_LENGTH = 64 * KIB;
export const MAX_TABLE_ENTRIES = 2047;

/** Section 2.2.3.2 */
export const BAT_REGION = guidBytes('2DC27766-F623-4200-9D64-115E9BFD4A08');
export const METADATA_REGION = guidBytes('8B7CA206-4790-4B9A-B8FE-575F050F886E');

/** Section 2.6.2 */
export const FILE_PARAMETERS = guidBytes('CAA16737-FA36-4D43-B3B6-33F0AA44E76B');
export const VIRTUAL_DISK_SIZE = guidBytes('2FA54224-CD1B-4876-B211-5DBED83BF4B8');
export const LOGICAL_SECTOR_SIZE = guidBytes('8141BF1D-A96F-4709-BA47-F233A8FAAB5F');
export const PHYSICAL_SECTOR_SIZE = guidBytes('CDA348C7-445D-4471-9CC9-E9885251C556');
export const VIRTUAL_DISK_ID = guidBytes('BECA12AB-B2E6-4523-93EF-C309E000C746');
export const PARENT_LOCATOR = guidBytes('A8D35F2D-B30B-454D-ABF7-D3D84834AB0C');

/** Section 2.6.2.1 */
export const MIN_BLOCK_SIZE = MIB;
export const MAX_BLOCK_SIZE = 256 * MIB;
export const LEAVE_BLOCK_ALLOCATED = 1;
export const HAS_PARENT = 2;

/** Section 2.6.2.2 */
export const MAX_VIRTUAL_SIZE = 64 * TIB;

/** Section 2.5.1.1: what a payload entry of the block allocation table says in its lowest three bits. */
export const BLOCK_NOT_PRESENT = 0;
export const BLOCK_UNDEFINED = 1;
export const BLOCK_ZERO = 2;
export const BLOCK_UNMAPPED = 3;
/** What drafts of the format before 1.0 wrote for "unmapped"; qemu reads it too (block/vhdx.h, …_UNMAPPED_v095). */
export const BLOCK_UNMAPPED_DRAFT = 5;
export const BLOCK_FULLY_PRESENT = 6;

/** Section 2.5.1.2: what a sector bitmap entry may say. */
export const BITMAP_NOT_PRESENT = 0;
export const BITMAP_PRESENT = 6;

/** How the payload blocks of a disk are laid out in the table (sections 2.4 and 2.5). */
export interface BatShape {
  readonly payloadBlocks: number;
  /** After this many payload entries stands one sector bitmap entry. */
  readonly chunkRatio: number;
  /** Entries of both kinds; 8 bytes each. */
  readonly entries: number;
}

export const BAT_ENTRY_LENGTH = 8;

export function batShape(virtualSize: number, blockSize: number, logicalSectorSize: number): BatShape {
  const payloadBlocks = Math.ceil(virtualSize / blockSize);
  const chunkRatio = (2 ** 23 * logicalSectorSize) / blockSize;
  return { payloadBlocks, chunkRatio, entries: payloadBlocks + Math.floor((payloadBlocks - 1) / chunkRatio) };
}
