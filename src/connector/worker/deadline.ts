/** Keeps the engine alive: while this worker lives, it moves the engine's deadline on. */
import type { Timer } from '../../lib/clock.ts';
import type { Attempt } from './attempt.ts';

/** An engine that hears nothing for this long gives up what is not verified yet, and powers itself off, in seconds. */
export const ENGINE_DEADLINE_SECONDS = 600;
const EXTEND_EVERY_MS = 20_000;

export class DeadlineKeeper {
  readonly #attempt: Attempt;
  readonly #stop = new AbortController();
  readonly #timer: Timer;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
    this.#timer = attempt.environment.clock.every(EXTEND_EVERY_MS, () => void this.extend(), { background: true });
  }

  /** Moves the deadline on; a failure is left to the next time, and to whoever follows the engine, to notice. */
  async extend(): Promise<void> {
    if (!this.#attempt.record.job.engine) return;
    try {
      const engine = await this.#attempt.engine(this.#stop.signal);
      await engine.putDeadline(ENGINE_DEADLINE_SECONDS, this.#stop.signal);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#attempt.environment.log.debug('the engine deadline was not moved', { reason });
    }
  }

  stop(): void {
    this.#timer.cancel();
    this.#stop.abort();
  }
}
