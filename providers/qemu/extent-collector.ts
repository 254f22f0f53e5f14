/**
 * Gathers the ranges of a disk that may hold data, in bounded memory: neighbours in one granule become one range, and
 * when there are too many ranges the granule doubles. A range never loses a byte by it; it only grows.
 */

const FIRST_GRANULE = 1024 * 1024;
const MAX_RANGES = 65_536;

export class ExtentCollector {
  readonly #size: number;
  readonly #maxRanges: number;
  #granule: number;
  /** [first granule, granule behind the last], ascending. */
  #ranges: [number, number][] = [];

  /** @param size of the disk, in bytes; nothing beyond it is kept */
  constructor(size: number, limits: { granule?: number; maxRanges?: number } = {}) {
    this.#size = size;
    this.#granule = limits.granule ?? FIRST_GRANULE;
    this.#maxRanges = limits.maxRanges ?? MAX_RANGES;
  }

  /** Adds a range in bytes; ranges come in ascending order. */
  add(start: number, length: number): void {
    const end = Math.min(start + length, this.#size);
    if (end <= start) return;
    append(this.#ranges, Math.floor(start / this.#granule), Math.ceil(end / this.#granule));
    while (this.#ranges.length > this.#maxRanges) this.#coarsen();
  }

  /** Ranges [offset, length] in bytes, ascending and apart from each other, and the sum of their lengths. */
  finish(): { extents: [number, number][]; bytes: number } {
    const extents = this.#ranges.map(([first, end]): [number, number] => {
      const offset = first * this.#granule;
      return [offset, Math.min(end * this.#granule, this.#size) - offset];
    });
    return { extents, bytes: extents.reduce((sum, [, length]) => sum + length, 0) };
  }

  #coarsen(): void {
    this.#granule *= 2;
    const coarse: [number, number][] = [];
    for (const [first, end] of this.#ranges) append(coarse, Math.floor(first / 2), Math.ceil(end / 2));
    this.#ranges = coarse;
  }
}

function append(ranges: [number, number][], first: number, end: number): void {
  const last = ranges.at(-1);
  if (last !== undefined && first <= last[1]) last[1] = Math.max(last[1], end);
  else ranges.push([first, end]);
}
