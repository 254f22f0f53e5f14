/**
 * What may end a job before its time: an operator's cancel, a lost lease, the timeout. Whichever comes first aborts
 * the signal with its error. Once the cloud has granted the commit none of them counts any more.
 */
import type { Clock, Timer } from '../../lib/clock.ts';
import { elapsedSince } from '../../lib/uptime.ts';
import { IpsError } from '../../protocol/errors.ts';
import type { JournalJob } from '../journal-job.ts';

/** Timers are set again at least this often, in ms: a timeout may be longer than any timer takes. */
const LONGEST_TIMER_MS = 86_400_000;

export class Interruption {
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #job: () => JournalJob;
  #timer: Timer | undefined;
  #granted = false;

  constructor(clock: Clock, job: () => JournalJob) {
    this.#clock = clock;
    this.#job = job;
    this.#granted = job().phase === 'committing';
    this.look();
    this.#watchTimeout(clock.monotonic());
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Reads the journal: was the job cancelled, is the lease lost? */
  look(): void {
    const job = this.#job();
    if (job.stopRequested) this.#abort(new IpsError('LEASE_LOST'));
    else if (job.cancelRequested) this.#abort(new IpsError('JOB_CANCELLED'));
  }

  /** The grant is in the journal. */
  granted(): void {
    this.#granted = true;
    this.#timer?.cancel();
  }

  /** Stops the timer. */
  close(): void {
    this.#timer?.cancel();
  }

  #abort(error: IpsError): void {
    if (!this.#granted) this.#controller.abort(error);
  }

  /** A host that was rebooted since cannot tell how long it was off: then the time counts from now. */
  #watchTimeout(startedHere: number): void {
    if (this.#granted) return;
    const { limits, acceptedAt } = this.#job();
    const elapsed = elapsedSince(acceptedAt) ?? this.#clock.monotonic() - startedHere;
    const left = limits.timeoutSeconds * 1000 - elapsed;
    if (left <= 0) {
      this.#abort(new IpsError('JOB_TIMEOUT', `It had ${limits.timeoutSeconds} s.`));
      return;
    }
    this.#timer = this.#clock.after(Math.min(left, LONGEST_TIMER_MS), () => this.#watchTimeout(startedHere), {
      background: true,
    });
  }
}
