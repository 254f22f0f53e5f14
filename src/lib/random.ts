/** Chance, injected: one source for keys, names and jitter, so that a simulation can seed it. */
import { randomBytes, randomInt } from 'node:crypto';

export interface RandomSource {
  /** `count` unpredictable bytes, fit for keys. */
  bytes(count: number): Buffer;
  /** A whole number in [0, below), `below` up to 2^48 - 1. */
  int(below: number): number;
}

export function systemRandom(): RandomSource {
  return { bytes: (count) => randomBytes(count), int: (below) => randomInt(below) };
}
