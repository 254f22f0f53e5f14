/**
 * What may end a job before its time: an operator's cancel, the timeout, a lost lease. Whichever comes first aborts the
 * signal with its error. From the grant to commit on only the lost lease counts: then the job is another connector's.
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

  constructor(clock: Clock, job: () => JournalJob) {
    this.#clock = clock;
    this.#job = job;
    this.look();
    this.#watchTimeout(clock.monotonic());
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Reads the journal: is the lease lost, was the job cancelled? */
  look(): void {
    const { stopRequested, cancelRequested, phase } = this.#job();
    if (stopRequested) this.#controller.abort(new IpsError('LEASE_LOST'));
    else if (cancelRequested && phase === 'running') this.#controller.abort(new IpsError('JOB_CANCELLED'));
  }

  /** Stops the timer. */
  close(): void {
    this.#timer?.cancel();
  }

  /** A host that was rebooted since cannot tell how long it was off: then the time counts from now. */
  #watchTimeout(startedHere: number): void {
    const { limits, acceptedAt, phase } = this.#job();
    if (phase !== 'running') return;
    const elapsed = elapsedSince(acceptedAt) ?? this.#clock.monotonic() - startedHere;
    const left = limits.timeoutSeconds * 1000 - elapsed;
    if (left <= 0) {
      this.#controller.abort(new IpsError('JOB_TIMEOUT', `It had ${limits.timeoutSeconds} s.`));
      return;
    }
    this.#timer = this.#clock.after(Math.min(left, LONGEST_TIMER_MS), () => this.#watchTimeout(startedHere), {
      background: true,
    });
  }
}
