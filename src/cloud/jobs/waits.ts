/**
 * Limits on waiting, counted on the monotonic clock from the moment this process first sees the wait. What had passed
 * before (the service was restarted) is taken from the wall clock once, and never more than the limit or less than 0.
 */
import type { Clock } from '../../lib/clock.ts';

export class Waits {
  readonly #clock: Clock;
  readonly #deadlines = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Whether the wait has lasted longer than its limit.
   * @param since when it began, ISO 8601; a new beginning is a new wait
   * @param limitMs milliseconds
   */
  isOver(what: string, since: string, limitMs: number): boolean {
    const key = `${what} ${since}`;
    const known = this.#deadlines.get(key);
    if (known !== undefined) return this.#clock.monotonic() >= known;
    const passed = Math.min(Math.max(0, this.#clock.wall().getTime() - Date.parse(since)), limitMs);
    this.#deadlines.set(key, this.#clock.monotonic() + limitMs - passed);
    return passed >= limitMs;
  }

  /** Forgets the waits that are not among these any more. */
  keepOnly(isWanted: (what: string) => boolean): void {
    for (const key of this.#deadlines.keys())
      if (!isWanted(key.slice(0, key.lastIndexOf(' ')))) this.#deadlines.delete(key);
  }
}
