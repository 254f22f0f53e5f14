/**
 * The block allocation table: for each block of the disk where in the file it lies, or that it is zeros. [MS-VHDX] 2.5.
 * Kept as four bytes a block, which the system commits only where a block is present.
 */
import type { RandomAccess } from '../access.ts';
import { readStructure } from '../access.ts';
import { DiskError } from '../error.ts';
import { MIB } from '../units.ts';
import type { BatShape } from './layout.ts';
import {
  BAT_ENTRY_LENGTH,
  BITMAP_NOT_PRESENT,
  BITMAP_PRESENT,
  BLOCK_FULLY_PRESENT,
  BLOCK_NOT_PRESENT,
  BLOCK_UNDEFINED,
  BLOCK_UNMAPPED,
  BLOCK_UNMAPPED_DRAFT,
  BLOCK_ZERO,
  batShape,
} from './layout.ts';
import type { VhdxMetadata } from './metadata.ts';
import type { Occupancy } from './occupancy.ts';
import type { Region } from './region-table.ts';

const SLICE = MIB;
const STATE_MASK = 0x7;
const RESERVED_MASK = 0xffff8;

export class BlockTable {
  readonly #offsets: Uint32Array;

  private constructor(offsets: Uint32Array) {
    this.#offsets = offsets;
  }

  /** Where the block starts in the file, bytes; undefined when it is zeros. */
  fileOffset(block: number): number | undefined {
    const offset = this.#offsets[block] as number;
    return offset === 0 ? undefined : offset * MIB;
  }

  /** @throws DiskError TRUNCATED, VHDX_BAT_INVALID */
  static async read(
    access: RandomAccess,
    region: Region,
    metadata: VhdxMetadata,
    occupancy: Occupancy,
  ): Promise<BlockTable> {
    const shape = batShape(metadata.virtualSize, metadata.blockSize, metadata.logicalSectorSize);
    const length = shape.entries * BAT_ENTRY_LENGTH;
    if (length > region.length) {
      throw new DiskError('VHDX_BAT_INVALID', `${shape.entries} blocks do not fit a table of ${region.length} bytes`, {
        offset: region.offset,
      });
    }
    const offsets = new Uint32Array(shape.payloadBlocks);
    for (let done = 0; done < length; done += SLICE) {
      const at = region.offset + done;
      const slice = await readStructure(access, at, Math.min(SLICE, length - done), 'block allocation table');
      for (let within = 0; within < slice.length; within += BAT_ENTRY_LENGTH) {
        const entry = { low: slice.readUInt32LE(within), high: slice.readUInt32LE(within + 4), at: at + within };
        readEntry(entry, (done + within) / BAT_ENTRY_LENGTH, shape, { access, metadata, occupancy, offsets });
      }
    }
    return new BlockTable(offsets);
  }
}

interface Entry {
  readonly low: number;
  readonly high: number;
  /** Place in the file, bytes. */
  readonly at: number;
}

interface Target {
  readonly access: RandomAccess;
  readonly metadata: VhdxMetadata;
  readonly occupancy: Occupancy;
  readonly offsets: Uint32Array;
}

function readEntry({ low, high, at }: Entry, index: number, shape: BatShape, target: Target): void {
  const invalid = (message: string, field: string) => new DiskError('VHDX_BAT_INVALID', message, { field, offset: at });
  const state = low & STATE_MASK;
  if ((low & RESERVED_MASK) !== 0) {
    throw invalid('reserved bits are set', 'Reserved');
  }
  const chunk = Math.floor(index / (shape.chunkRatio + 1));
  if (index % (shape.chunkRatio + 1) === shape.chunkRatio) {
    if (state !== BITMAP_NOT_PRESENT && state !== BITMAP_PRESENT) {
      throw invalid(`${state} is no state of a sector bitmap`, 'State');
    }
    return;
  }
  const block = index - chunk;
  switch (state) {
    case BLOCK_NOT_PRESENT:
    case BLOCK_UNDEFINED:
    case BLOCK_ZERO:
    case BLOCK_UNMAPPED:
    case BLOCK_UNMAPPED_DRAFT:
      return;
    case BLOCK_FULLY_PRESENT:
      break;
    default:
      throw invalid(`${state} is no state of a block in a file without parent`, 'State');
  }
  const { blockSize, virtualSize } = target.metadata;
  const offset = (high * 2 ** 12 + (low >>> 20)) * MIB;
  // Some writers end the file where the disk ends, inside the last block.
  const needed = Math.min(blockSize, virtualSize - block * blockSize);
  if (offset + needed > target.access.size) {
    throw invalid(`block ${block} at ${offset} is not within the file's ${target.access.size} bytes`, 'FileOffsetMB');
  }
  if (!target.occupancy.claim(offset, blockSize)) {
    throw invalid(`block ${block} at ${offset} lies on something else`, 'FileOffsetMB');
  }
  target.offsets[block] = offset / MIB;
}
