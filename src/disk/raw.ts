/** A raw image or a block device: the file's bytes are the disk's bytes, and nothing is known about them. */
import type { RandomAccess } from './access.ts';
import type { Disk, Extent } from './disk.ts';

export class RawDisk implements Disk {
  readonly virtualSize: number;
  readonly #access: RandomAccess;

  constructor(access: RandomAccess) {
    this.#access = access;
    this.virtualSize = access.size;
  }

  async *extents(): AsyncIterable<Extent> {
    if (this.virtualSize > 0) {
      yield { offset: 0, length: this.virtualSize, kind: 'data' };
    }
  }

  read(offset: number, buffer: Buffer): Promise<void> {
    return this.#access.read(offset, buffer);
  }

  close(): Promise<void> {
    return this.#access.close();
  }
}
