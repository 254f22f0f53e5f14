/** Sizes in bytes that the whole library shares. */
export const SECTOR = 512;
export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;
export const TIB = 1024 * GIB;

/** Rounds `value` up to a whole number of `unit`s; both in bytes. */
export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

export function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}
