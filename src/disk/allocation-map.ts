/**
 * The allocation map: which ranges of a disk are copied; all else is taken as zeros without being read.
 *
 * Its digest lets a result say which map a copy was made with. It is SHA-256 over this text (ASCII, each line ending in a
 * line feed, numbers decimal, bytes):
 *
 *     allocation-map/1 size=SIZE filter=FILTER
 *     OFFSET LENGTH
 *     …
 *
 * one line a range, ascending, touching ranges joined. FILTER names the rules that left allocated blocks out, with their
 * version; `none/1` leaves out nothing.
 */
import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';
import { DiskError } from './error.ts';

/** No filter: every block that the source's map calls data is copied. */
export const FILTER_VERSION = 'none/1';

export interface DataRange {
  /** Bytes. */
  readonly offset: number;
  /** Bytes, above zero. */
  readonly length: number;
}

/**
 * Checks a map that came from outside and joins ranges that touch.
 * @param size the disk's length, bytes
 * @throws DiskError MAP_INVALID naming the first bad range
 */
export function checkedMap(ranges: Iterable<DataRange>, size: number): DataRange[] {
  const checked: { offset: number; length: number }[] = [];
  let end = 0;
  for (const { offset, length } of ranges) {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || length <= 0 || offset + length > size) {
      throw new DiskError('MAP_INVALID', `a range of ${length} bytes is not within the disk's ${size}`, { offset });
    }
    if (offset < end) {
      throw new DiskError('MAP_INVALID', `a range starts before byte ${end}, where the one before it ends`, { offset });
    }
    const last = checked.at(-1);
    if (last !== undefined && offset === end) {
      last.length += length;
    } else {
      checked.push({ offset, length });
    }
    end = offset + length;
  }
  return checked;
}

/** Digests a map whose ranges are seen one after the other, ascending. */
export class AllocationMapDigest {
  readonly #hash: Hash;
  #start = 0;
  #end = 0;

  constructor(size: number) {
    this.#hash = createHash('sha256').update(`allocation-map/1 size=${size} filter=${FILTER_VERSION}\n`);
  }

  add({ offset, length }: DataRange): void {
    if (offset !== this.#end) {
      this.#emit();
      this.#start = offset;
    }
    this.#end = offset + length;
  }

  /** Hexadecimal. Ends the digest: nothing can be added after. */
  digest(): string {
    this.#emit();
    return this.#hash.digest('hex');
  }

  #emit(): void {
    if (this.#end > this.#start) {
      this.#hash.update(`${this.#start} ${this.#end - this.#start}\n`);
    }
  }
}
