/**
 * Finding zeros. Comparing with a buffer of zeros is memcmp, which stops at the first difference: data costs next to
 * nothing, zeros about 25 GiB/s on one core (a loop over 64-bit words in JavaScript: 3.5).
 */
import { MIB } from './units.ts';

const ZEROS = Buffer.alloc(MIB);

export function isZero(buffer: Buffer): boolean {
  for (let at = 0; at < buffer.length; at += ZEROS.length) {
    const piece = buffer.subarray(at, at + ZEROS.length);
    if (!piece.equals(piece.length === ZEROS.length ? ZEROS : ZEROS.subarray(0, piece.length))) {
      return false;
    }
  }
  return true;
}

export interface DataRun {
  /** Within the buffer, bytes, a multiple of the grain. */
  readonly start: number;
  readonly end: number;
}

/** The parts of a buffer that are not zeros, in whole grains (bytes; the last may be short); neighbours are joined. */
export function dataRuns(buffer: Buffer, grain: number): DataRun[] {
  const runs: { start: number; end: number }[] = [];
  for (let start = 0; start < buffer.length; start += grain) {
    const end = Math.min(start + grain, buffer.length);
    if (isZero(buffer.subarray(start, end))) {
      continue;
    }
    const last = runs.at(-1);
    if (last?.end === start) {
      last.end = end;
    } else {
      runs.push({ start, end });
    }
  }
  return runs;
}
