/** Reads a fixed VHD: the disk's bytes, then the footer. See `footer.ts` for the specification. */
import type { RandomAccess } from '../access.ts';
import { checkRange } from '../access.ts';
import type { Disk, Extent } from '../disk.ts';
import type { VhdFooter } from './footer.ts';
import { readFixedFooter } from './footer.ts';

export class VhdFixedDisk implements Disk {
  readonly virtualSize: number;
  /** The footer's Unique Id, 16 bytes as they stand in the file. */
  readonly uniqueId: Buffer;
  readonly #access: RandomAccess;

  private constructor(access: RandomAccess, footer: VhdFooter) {
    this.#access = access;
    this.virtualSize = footer.currentSize;
    this.uniqueId = footer.uniqueId;
  }

  /** @throws DiskError TRUNCATED, VHD_FOOTER_INVALID, VHD_TYPE_UNSUPPORTED; the access stays open then */
  static async open(access: RandomAccess): Promise<VhdFixedDisk> {
    return new VhdFixedDisk(access, await readFixedFooter(access));
  }

  async *extents(): AsyncIterable<Extent> {
    yield { offset: 0, length: this.virtualSize, kind: 'data' };
  }

  async read(offset: number, buffer: Buffer): Promise<void> {
    checkRange(offset, buffer.length, this.virtualSize);
    await this.#access.read(offset, buffer);
  }

  close(): Promise<void> {
    return this.#access.close();
  }
}
