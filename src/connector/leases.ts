/**
 * The holder's view of its leases. A lease counts until TTL after the *sending* of the last message that the cloud
 * answered, on the monotonic clock: the cloud counts from when it received it, which is later, so that the holder
 * always stops first. Clocks are never compared.
 */
import type { Clock } from '../lib/clock.ts';
import type { Token } from '../protocol/token.ts';

export interface JobRef {
  jobId: string;
  token: Token;
}

export function refKey(ref: JobRef): string {
  return `${ref.jobId} ${ref.token}`;
}

export class HolderLeases {
  readonly #clock: Clock;
  readonly #validUntil = new Map<string, number>();
  readonly #unanswered = new Map<number, { sentAt: number; refs: readonly JobRef[] }>();
  #ttlMs = 0;
  #renewals = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A new connection: answers to renewals over the old one will not come. */
  connected(ttlMs: number): void {
    this.#ttlMs = ttlMs;
    this.#unanswered.clear();
  }

  /** The cloud has just given or confirmed this lease, in answer to something sent at `sentAt` (monotonic, ms). */
  given(ref: JobRef, sentAt: number): void {
    this.#validUntil.set(refKey(ref), sentAt + this.#ttlMs);
  }

  /** Call it at the moment of sending. @returns the number of the renewal */
  renewing(refs: readonly JobRef[]): number {
    this.#renewals += 1;
    this.#unanswered.set(this.#renewals, { sentAt: this.#clock.monotonic(), refs });
    return this.#renewals;
  }

  /** The answer to renewal `n`: what was not refused counts from when the renewal was sent. */
  renewed(n: number, refused: readonly JobRef[]): void {
    const renewal = this.#unanswered.get(n);
    this.#unanswered.delete(n);
    const lost = new Set(refused.map(refKey));
    for (const key of lost) this.#validUntil.delete(key);
    for (const ref of renewal?.refs ?? []) if (!lost.has(refKey(ref))) this.given(ref, renewal?.sentAt ?? 0);
  }

  /** Whether the lease still counts for sure. */
  isValid(ref: JobRef): boolean {
    return (this.#validUntil.get(refKey(ref)) ?? Number.NEGATIVE_INFINITY) > this.#clock.monotonic();
  }

  drop(ref: JobRef): void {
    this.#validUntil.delete(refKey(ref));
  }
}
