/** Bounds tries within a window of time, by key and overall. In memory: a restart gives everybody a fresh window. */
import type { Clock } from '../lib/clock.ts';
import { IpsError } from '../protocol/errors.ts';

export interface RateLimits {
  windowMs: number;
  perKey: number;
  overall: number;
}

/** RATE_LIMITED, with what goes into the Retry-After header. */
export class RateLimited extends IpsError {
  /** Whole seconds until trying again makes sense. */
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super('RATE_LIMITED', `Wait ${retryAfterSeconds} s.`);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export class RateLimiter {
  readonly #clock: Clock;
  readonly #limits: RateLimits;
  #began: number;
  #overall = 0;
  readonly #byKey = new Map<string, number>();

  constructor(clock: Clock, limits: RateLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#began = clock.monotonic();
  }

  /** Counts a try. @throws RateLimited when there were too many in this window */
  take(key: string): void {
    this.#check(key);
    this.#overall += 1;
    this.#byKey.set(key, (this.#byKey.get(key) ?? 0) + 1);
  }

  /** @throws RateLimited when another try would be too many */
  #check(key: string): void {
    const { windowMs, perKey, overall } = this.#limits;
    const elapsed = this.#clock.monotonic() - this.#began;
    if (elapsed >= windowMs) {
      this.#began += elapsed;
      this.#overall = 0;
      this.#byKey.clear();
    } else if (this.#overall >= overall || (this.#byKey.get(key) ?? 0) >= perKey) {
      throw new RateLimited(Math.ceil((windowMs - elapsed) / 1000));
    }
  }
}

/** What tells one stranger from another: an IPv4 address, or the /64 in which an IPv6 host takes any address it likes. */
export function sourceOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [before = [], after = []] = address.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return `${[...before, ...zeros, ...after].slice(0, 4).join(':')}::/64`;
}
