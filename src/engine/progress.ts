/** Turns the copy's many small advances into one event a second, with the rate over the last seconds. */
import type { Clock, Timer } from '../lib/clock.ts';
import type { EngineEventBody } from '../protocol/engine.ts';
import type { Step } from '../protocol/job.ts';

const EVENT_MS = 1000;
/** The rate is that of this many last events. */
const RATE_EVENTS = 5;

/** All in bytes. */
export interface Advance {
  bytesDone: number;
  bytesRead: number;
  bytesSkipped: number;
  bytesWritten: number;
}

export class ProgressMeter {
  readonly #clock: Clock;
  readonly #emit: (event: EngineEventBody) => void;
  readonly #step: Step;
  readonly #bytesTotal: number;
  readonly #timer: Timer;
  readonly #samples: { at: number; done: number }[];
  #latest: Advance | undefined;

  /** @param bytesTotal what `bytesDone` reaches at the end of the step */
  constructor(clock: Clock, emit: (event: EngineEventBody) => void, step: Step, bytesTotal: number) {
    this.#clock = clock;
    this.#emit = emit;
    this.#step = step;
    this.#bytesTotal = bytesTotal;
    this.#samples = [{ at: clock.monotonic(), done: 0 }];
    this.#timer = clock.every(EVENT_MS, () => this.#tell());
  }

  advance(latest: Advance): void {
    this.#latest = latest;
  }

  /** Tells the last state, and nothing more. */
  stop(): void {
    this.#timer.cancel();
    this.#tell();
  }

  #tell(): void {
    if (this.#latest === undefined) return;
    const now = { at: this.#clock.monotonic(), done: this.#latest.bytesDone };
    this.#samples.push(now);
    if (this.#samples.length > RATE_EVENTS + 1) this.#samples.shift();
    const first = this.#samples[0] ?? now;
    const seconds = (now.at - first.at) / 1000;
    const rate = seconds > 0 ? (now.done - first.done) / seconds : 0;
    this.#emit({ kind: 'progress', step: this.#step, bytesTotal: this.#bytesTotal, rate, ...this.#latest });
  }
}
