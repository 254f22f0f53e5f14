/**
 * Reads a VHDX, dynamic or fixed, that was closed properly: [MS-VHDX]. Everything is checked when it is opened, so `read`
 * meets no surprises; the file must not change while it is open. Differencing files and files with an unplayed log are refused.
 */
import type { RandomAccess } from '../access.ts';
import { checkRange } from '../access.ts';
import type { Disk, Extent } from '../disk.ts';
import { DiskError } from '../error.ts';
import { BlockTable } from './bat.ts';
import type { VhdxHeader } from './header.ts';
import { checkFileIdentifier, readHeader } from './header.ts';
import { HEADER_SECTION_LENGTH } from './layout.ts';
import type { VhdxMetadata } from './metadata.ts';
import { readMetadata } from './metadata.ts';
import { Occupancy } from './occupancy.ts';
import { readRegionTable } from './region-table.ts';

export class VhdxDisk implements Disk {
  readonly virtualSize: number;
  readonly header: VhdxHeader;
  readonly metadata: VhdxMetadata;
  readonly #access: RandomAccess;
  readonly #table: BlockTable;
  readonly #blockSize: number;

  private constructor(access: RandomAccess, header: VhdxHeader, metadata: VhdxMetadata, table: BlockTable) {
    this.#access = access;
    this.#table = table;
    this.header = header;
    this.metadata = metadata;
    this.virtualSize = metadata.virtualSize;
    this.#blockSize = metadata.blockSize;
  }

  /** @throws DiskError TRUNCATED, SIZE_UNSUPPORTED and all of VHDX_…; the access stays open then */
  static async open(access: RandomAccess): Promise<VhdxDisk> {
    await checkFileIdentifier(access);
    const header = await readHeader(access);
    const regions = await readRegionTable(access);
    const occupancy = new Occupancy(access.size);
    const placed = [
      { offset: 0, length: HEADER_SECTION_LENGTH },
      { offset: header.logOffset, length: header.logLength },
      ...regions.all,
    ];
    for (const { offset, length } of placed) {
      if (!occupancy.claim(offset, length)) {
        throw new DiskError('VHDX_REGION_INVALID', `${length} bytes lie on another region`, { offset });
      }
    }
    const metadata = await readMetadata(access, regions.metadata);
    const table = await BlockTable.read(access, regions.bat, metadata, occupancy);
    return new VhdxDisk(access, header, metadata, table);
  }

  async *extents(): AsyncIterable<Extent> {
    let start = 0;
    while (start < this.virtualSize) {
      const present = this.#isPresent(start);
      let end = start + this.#blockSize;
      while (end < this.virtualSize && this.#isPresent(end) === present) {
        end += this.#blockSize;
      }
      end = Math.min(end, this.virtualSize);
      yield { offset: start, length: end - start, kind: present ? 'data' : 'zero' };
      start = end;
    }
  }

  async read(offset: number, buffer: Buffer): Promise<void> {
    checkRange(offset, buffer.length, this.virtualSize);
    const end = offset + buffer.length;
    let position = offset;
    while (position < end) {
      const from = this.#place(position);
      let stop = this.#blockEnd(position);
      // Blocks that follow each other in the file too are read at once.
      while (stop < end && this.#place(stop) === (from === undefined ? undefined : from + stop - position)) {
        stop = this.#blockEnd(stop);
      }
      stop = Math.min(stop, end);
      const part = buffer.subarray(position - offset, stop - offset);
      if (from === undefined) {
        part.fill(0);
      } else {
        await this.#access.read(from, part);
      }
      position = stop;
    }
  }

  close(): Promise<void> {
    return this.#access.close();
  }

  #isPresent(offset: number): boolean {
    return this.#table.fileOffset(offset / this.#blockSize) !== undefined;
  }

  #blockEnd(offset: number): number {
    return (Math.floor(offset / this.#blockSize) + 1) * this.#blockSize;
  }

  /** Where a byte of the disk lies in the file; undefined when it is zero. */
  #place(offset: number): number | undefined {
    const block = Math.floor(offset / this.#blockSize);
    const start = this.#table.fileOffset(block);
    return start === undefined ? undefined : start + (offset - block * this.#blockSize);
  }
}
