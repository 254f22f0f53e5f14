/** A clock that moves only when a test says so. Timers fire in the order of their times. */
import type { Clock, Timer } from '../../../src/lib/clock.ts';

interface Pending {
  at: number;
  everyMs: number | undefined;
  action: () => void;
}

export class ManualClock implements Clock {
  #now = 0;
  #wallAhead = 0;
  readonly #pending = new Set<Pending>();

  monotonic(): number {
    return this.#now;
  }

  wall(): Date {
    return new Date(this.#now + this.#wallAhead);
  }

  /** Somebody sets the wall clock; no time passes. */
  setWallAhead(ms: number): void {
    this.#wallAhead += ms;
  }

  after(ms: number, action: () => void): Timer {
    return this.#add({ at: this.#now + ms, everyMs: undefined, action });
  }

  every(ms: number, action: () => void): Timer {
    return this.#add({ at: this.#now + ms, everyMs: ms, action });
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  get timers(): number {
    return this.#pending.size;
  }

  /** Moves on by `ms` and fires what becomes due. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = [...this.#pending].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#now = next.at;
      if (next.everyMs === undefined) this.#pending.delete(next);
      else next.at += next.everyMs;
      next.action();
    }
    this.#now = end;
  }

  #add(pending: Pending): Timer {
    this.#pending.add(pending);
    return { cancel: () => this.#pending.delete(pending) };
  }
}
