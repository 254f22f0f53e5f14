/**
 * The engine's own end: a number of seconds of CLOCK_BOOTTIME after the agent's start, which a lease holder moves on,
 * never beyond the hard deadline. It is looked at every second instead of set as a timer, since timers stand still while
 * the machine is suspended and this clock does not.
 */
import type { Clock, Timer } from '../lib/clock.ts';

const LOOK_MS = 1000;

export interface DeadlineOptions {
  clock: Clock;
  /** Milliseconds of CLOCK_BOOTTIME. */
  uptime: () => number;
  /** From now on. */
  seconds: number;
  /** From now on; no extension goes beyond it. */
  hardSeconds: number;
  /** Called once. */
  onPassed: () => void;
}

export class Deadline {
  readonly #options: DeadlineOptions;
  readonly #hardAt: number;
  readonly #timer: Timer;
  #at: number;

  constructor(options: DeadlineOptions) {
    this.#options = options;
    const now = options.uptime();
    this.#hardAt = now + options.hardSeconds * 1000;
    this.#at = Math.min(now + options.seconds * 1000, this.#hardAt);
    this.#timer = options.clock.every(LOOK_MS, () => this.#look(), { background: true });
  }

  /** Puts the deadline at `seconds` from now, or at the hard one if that is sooner. A passed one stays passed. */
  extend(seconds: number): void {
    this.#at = Math.min(this.#options.uptime() + seconds * 1000, this.#hardAt);
  }

  #look(): void {
    if (this.#options.uptime() < this.#at) return;
    this.#timer.cancel();
    this.#options.onPassed();
  }
}
