/** A disk seen through an allocation map: what the map leaves out reads as zeros, and is never read below. */

import { checkRange } from './access.ts';
import type { DataRange } from './allocation-map.ts';
import { checkedMap } from './allocation-map.ts';
import type { Disk, Extent } from './disk.ts';

export class MappedDisk implements Disk {
  readonly virtualSize: number;
  readonly #inner: Disk;
  readonly #ranges: readonly DataRange[];

  /**
   * @param ranges the data, ascending, without overlap; bytes
   * @throws DiskError MAP_INVALID
   */
  constructor(inner: Disk, ranges: Iterable<DataRange>) {
    this.#inner = inner;
    this.#ranges = checkedMap(ranges, inner.virtualSize);
    this.virtualSize = inner.virtualSize;
  }

  async *extents(): AsyncIterable<Extent> {
    let position = 0;
    for (const { offset, length } of this.#ranges) {
      if (offset > position) {
        yield { offset: position, length: offset - position, kind: 'zero' };
      }
      yield { offset, length, kind: 'data' };
      position = offset + length;
    }
    if (position < this.virtualSize) {
      yield { offset: position, length: this.virtualSize - position, kind: 'zero' };
    }
  }

  async read(offset: number, buffer: Buffer): Promise<void> {
    const end = offset + buffer.length;
    checkRange(offset, buffer.length, this.virtualSize);
    let position = offset;
    for (let index = this.#firstEndingAfter(offset); position < end; index++) {
      const range = this.#ranges[index];
      const start = Math.min(range?.offset ?? end, end);
      if (start > position) {
        buffer.fill(0, position - offset, start - offset);
        position = start;
      }
      if (range === undefined || start === end) {
        return;
      }
      const stop = Math.min(range.offset + range.length, end);
      await this.#inner.read(position, buffer.subarray(position - offset, stop - offset));
      position = stop;
    }
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #firstEndingAfter(offset: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const range = this.#ranges[middle] as DataRange;
      if (range.offset + range.length > offset) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }
}
