/**
 * How long each holder's lease still counts, on the cloud's monotonic clock and in memory only: when the cloud starts,
 * every lease counts from its start, since nobody could renew while it was away. A lease never ends a job; it only says
 * when the cloud may begin to look for another holder.
 */
import type { Clock } from '../../lib/clock.ts';
import { compareTokens, type Token } from '../../protocol/token.ts';

export interface LeaseTerms {
  /** Milliseconds for which the holder may act after it sent a renewal that was answered. */
  ttlMs: number;
  /** Milliseconds more until the cloud may move the token. */
  graceMs: number;
}

export class Leases {
  readonly terms: LeaseTerms;
  readonly #clock: Clock;
  readonly #start: number;
  readonly #renewed = new Map<string, { token: Token; at: number }>();

  constructor(clock: Clock, terms: LeaseTerms) {
    this.#clock = clock;
    this.terms = terms;
    this.#start = clock.monotonic();
  }

  /** The lease counts from now: call it when a renewal (or an acceptance) was received. A later holder's stays. */
  renew(jobId: string, token: Token): void {
    const last = this.#renewed.get(jobId);
    if (last !== undefined && compareTokens(last.token, token) > 0) return;
    this.#renewed.set(jobId, { token, at: this.#clock.monotonic() });
  }

  drop(jobId: string): void {
    this.#renewed.delete(jobId);
  }

  /** Whether TTL and grace have passed since the holder of this token was last heard. */
  isExpired(jobId: string, token: Token): boolean {
    const last = this.#renewed.get(jobId);
    const since = last?.token === token ? last.at : this.#start;
    return this.#clock.monotonic() - since > this.terms.ttlMs + this.terms.graceMs;
  }
}
