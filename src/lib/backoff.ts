/** Waiting times between tries: exponential with full jitter, never zero, never giving up by itself. */
import type { RandomSource } from './random.ts';

export interface BackoffLimits {
  /** First upper bound, in ms. */
  firstMs: number;
  /** Upper bound that later tries stay under, in ms. */
  maxMs: number;
}

/**
 * Milliseconds to wait before try `attempt` (0 is the first repetition). Between half the bound and the bound, so that
 * a herd of callers spreads but nobody hammers.
 */
export function backoffMs(limits: BackoffLimits, attempt: number, random: RandomSource): number {
  const bound = Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(attempt, 30));
  const half = Math.max(1, Math.floor(bound / 2));
  return half + random.int(half + 1);
}
