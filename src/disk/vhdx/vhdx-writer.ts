/**
 * Writes a dynamic VHDX: [MS-VHDX]. Blocks of zeros are left out; the others follow each other in the file in the order of
 * the disk, each whole, so the file grows at its end only and has no hole when it is done.
 *
 * Order of what is written, with a flush where it says so: blocks; table, metadata, log (zeros), region tables, headers;
 * flush; the file type identifier; flush. Until the identifier is there, the file begins with zeros and is no VHDX; when it
 * is there, everything else is on stable storage. Each byte of the file is written once.
 */
import { createHash } from 'node:crypto';
import type { WritableAccess } from '../access.ts';
import { checkAscending } from '../ascending.ts';
import { DiskError } from '../error.ts';
import { deriveGuid } from '../guid.ts';
import { isPowerOfTwo, KIB, MIB, roundUp, SECTOR } from '../units.ts';
import type { DiskWriter, FileSeal, SealedRange } from '../writer.ts';
import { headerBytes } from './header.ts';
import {
  BAT_ENTRY_LENGTH,
  BLOCK_FULLY_PRESENT,
  BLOCK_ZERO,
  batShape,
  FILE_IDENTIFIER_AT,
  FILE_SIGNATURE,
  HEADER_PLACES,
  HEADER_SECTION_LENGTH,
  MAX_VIRTUAL_SIZE,
  REGION_TABLE_PLACES,
} from './layout.ts';
import { metadataBytes } from './metadata.ts';
import { regionTableBytes } from './region-table.ts';

/** Why this size: docs/decisions/0004-vhdx-block-size.md. Bytes. */
export const VHDX_BLOCK_SIZE = MIB;

/** A writer is handed 4 MiB at a time; with blocks no larger than that it need not remember a half-filled one. */
const MAX_BLOCK_SIZE = 4 * MIB;

const CREATOR = 'image-portability-service';
const IDENTIFIER_LENGTH = 64 * KIB;
const LOG = { offset: HEADER_SECTION_LENGTH, length: MIB };
const METADATA = { offset: LOG.offset + LOG.length, length: MIB };
const BAT_AT = METADATA.offset + METADATA.length;
const SLICE = MIB;

export interface VhdxOptions {
  /** Length of the disk, bytes. */
  virtualSize: number;
  /** 16 bytes that name this file among all files; its identifiers come from it (`vhdxIdentifiers`). */
  identity: Buffer;
  /** 1, 2 or 4 MiB, in bytes. */
  blockSize?: number;
}

/** The identifiers that a file written with this seed carries: 16 bytes each, as they stand in the file. */
export function vhdxIdentifiers(identity: Buffer): {
  fileWriteGuid: Buffer;
  dataWriteGuid: Buffer;
  virtualDiskId: Buffer;
} {
  return {
    fileWriteGuid: deriveGuid(identity, 'vhdx-file-write'),
    dataWriteGuid: deriveGuid(identity, 'vhdx-data-write'),
    virtualDiskId: deriveGuid(identity, 'vhdx-virtual-disk'),
  };
}

export class VhdxWriter implements DiskWriter {
  readonly virtualSize: number;
  readonly grain: number;
  readonly #access: WritableAccess;
  readonly #identity: Buffer;
  readonly #bat: { readonly offset: number; readonly length: number };
  /** One bit a block. Present blocks lie in the file in their own order, so nothing more is needed to find them. */
  readonly #present: Uint8Array;
  readonly #sealed: SealedRange[] = [];
  #next = 0;
  #end: number;
  #bytesWritten = 0;

  private constructor(access: WritableAccess, options: Required<VhdxOptions>) {
    this.#access = access;
    this.#identity = options.identity;
    this.virtualSize = options.virtualSize;
    this.grain = options.blockSize;
    const { entries, payloadBlocks } = batShape(this.virtualSize, this.grain, SECTOR);
    this.#bat = { offset: BAT_AT, length: roundUp(entries * BAT_ENTRY_LENGTH, MIB) };
    this.#present = new Uint8Array(Math.ceil(payloadBlocks / 8));
    this.#end = this.#bat.offset + this.#bat.length;
  }

  /**
   * @param access an empty file; the caller closes it after `finish()`
   * @throws DiskError SIZE_UNSUPPORTED, MISUSE; the system's error
   */
  static async create(access: WritableAccess, options: VhdxOptions): Promise<VhdxWriter> {
    const { virtualSize, identity, blockSize = VHDX_BLOCK_SIZE } = options;
    if (!Number.isSafeInteger(virtualSize) || virtualSize <= 0 || virtualSize % SECTOR !== 0) {
      throw new DiskError(
        'SIZE_UNSUPPORTED',
        `a VHDX holds whole sectors of ${SECTOR} bytes, not ${virtualSize} bytes`,
      );
    }
    if (virtualSize > MAX_VIRTUAL_SIZE) {
      throw new DiskError(
        'SIZE_UNSUPPORTED',
        `a VHDX holds at most ${MAX_VIRTUAL_SIZE} bytes (64 TiB), not ${virtualSize}`,
      );
    }
    if (!isPowerOfTwo(blockSize) || blockSize < MIB || blockSize > MAX_BLOCK_SIZE) {
      throw new DiskError('MISUSE', `blocks of ${blockSize} bytes are not written here`);
    }
    if (access.size !== 0) {
      throw new DiskError('MISUSE', `a disk is written into an empty file, not one of ${access.size} bytes`);
    }
    vhdxIdentifiers(identity);
    const writer = new VhdxWriter(access, { virtualSize, identity, blockSize });
    await access.truncate(writer.#end);
    return writer;
  }

  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  async writeBlock(offset: number, data: Buffer): Promise<void> {
    this.#next = checkAscending(this, this.#next, offset, data.length);
    const blocks = Math.ceil(data.length / this.grain);
    const first = offset / this.grain;
    for (let block = first; block < first + blocks; block++) {
      this.#present[block >>> 3] = (this.#present[block >>> 3] as number) | (1 << (block & 7));
    }
    const at = this.#end;
    const length = blocks * this.grain;
    this.#end += length;
    await this.#write(at, data);
    if (length > data.length) {
      await this.#writeSealed(at + data.length, Buffer.alloc(length - data.length), 'padding of the last block');
    }
  }

  async finish(): Promise<FileSeal> {
    for (const { offset, bytes } of this.#tableSlices()) {
      await this.#writeSealed(offset, bytes, 'block allocation table');
    }
    await this.#writeSealed(METADATA.offset, this.#metadata(), 'metadata');
    await this.#writeSealed(LOG.offset, Buffer.alloc(LOG.length), 'log');
    const section = this.#headerSection();
    await this.#writeSealed(IDENTIFIER_LENGTH, section.subarray(IDENTIFIER_LENGTH), 'header section');
    await this.#access.flush();
    await this.#writeSealed(FILE_IDENTIFIER_AT, section.subarray(0, IDENTIFIER_LENGTH), 'file type identifier');
    await this.#access.flush();
    return { fileSize: this.#end, ranges: this.#sealed };
  }

  /** The table in pieces of one MiB: 64 TiB of disk need 256 of them. */
  *#tableSlices(): Generator<{ offset: number; bytes: Buffer }> {
    const { payloadBlocks, chunkRatio, entries } = batShape(this.virtualSize, this.grain, SECTOR);
    let place = (this.#bat.offset + this.#bat.length) / MIB;
    let block = 0;
    for (let start = 0; start < this.#bat.length; start += SLICE) {
      const bytes = Buffer.alloc(SLICE);
      for (let within = 0; within < SLICE && block < payloadBlocks; within += BAT_ENTRY_LENGTH) {
        const index = (start + within) / BAT_ENTRY_LENGTH;
        if (index >= entries || index % (chunkRatio + 1) === chunkRatio) {
          continue; // a sector bitmap that is not present: zero
        }
        if (((this.#present[block >>> 3] as number) & (1 << (block & 7))) === 0) {
          // Not 0 (NOT_PRESENT), which lets a reader return anything; FileOffsetMB is reserved and stays 0.
          bytes.writeUInt32LE(BLOCK_ZERO, within);
        } else {
          bytes.writeUInt32LE(((place % 2 ** 12) * 2 ** 20 + BLOCK_FULLY_PRESENT) >>> 0, within);
          bytes.writeUInt32LE(Math.floor(place / 2 ** 12), within + 4);
          place += this.grain / MIB;
        }
        block++;
      }
      yield { offset: this.#bat.offset + start, bytes };
    }
  }

  #metadata(): Buffer {
    return metadataBytes({
      virtualSize: this.virtualSize,
      blockSize: this.grain,
      logicalSectorSize: SECTOR,
      physicalSectorSize: 4 * KIB,
      fixed: false,
      virtualDiskId: vhdxIdentifiers(this.#identity).virtualDiskId,
    });
  }

  /** The first MiB: identifier, two headers, two region tables. */
  #headerSection(): Buffer {
    const section = Buffer.alloc(HEADER_SECTION_LENGTH);
    section.write(FILE_SIGNATURE, FILE_IDENTIFIER_AT, 'latin1');
    section.write(CREATOR, FILE_IDENTIFIER_AT + FILE_SIGNATURE.length, 'utf16le');
    const { fileWriteGuid, dataWriteGuid } = vhdxIdentifiers(this.#identity);
    HEADER_PLACES.forEach((place, index) => {
      const sequenceNumber = BigInt(index + 1);
      const header = { sequenceNumber, fileWriteGuid, dataWriteGuid, logOffset: LOG.offset, logLength: LOG.length };
      headerBytes(header).copy(section, place);
    });
    for (const place of REGION_TABLE_PLACES) {
      regionTableBytes(this.#bat, METADATA).copy(section, place);
    }
    return section;
  }

  /** Writes what is not the disk's content, and remembers it for the seal. */
  async #writeSealed(offset: number, bytes: Buffer, field: string): Promise<void> {
    await this.#write(offset, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    this.#sealed.push({ offset, length: bytes.length, sha256, field });
  }

  async #write(offset: number, data: Buffer): Promise<void> {
    await this.#access.write(offset, data);
    this.#bytesWritten += data.length;
  }
}
