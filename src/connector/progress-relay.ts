/** Progress of the running jobs: the latest value only, at most one a second and job, dropped while the link is down. */
import type { Clock } from '../lib/clock.ts';
import type { Progress } from '../protocol/job.ts';
import type { ToCloud } from '../protocol/link.ts';
import { type JobRef, refKey } from './job-ref.ts';

const PACE_MS = 1_000;

interface Latest {
  ref: JobRef;
  /** What was not sent yet. */
  progress: Progress | undefined;
}

export class ProgressRelay {
  readonly #send: (message: ToCloud) => boolean;
  readonly #clock: Clock;
  /** Jobs that sent something within the last `PACE_MS`. */
  readonly #paced = new Map<string, Latest>();

  constructor(send: (message: ToCloud) => boolean, clock: Clock) {
    this.#send = send;
    this.#clock = clock;
  }

  report(ref: JobRef, progress: Progress): void {
    const paced = this.#paced.get(refKey(ref));
    if (paced) paced.progress = progress;
    else this.#transmit({ ref, progress });
  }

  #transmit({ ref, progress }: Latest): void {
    const key = refKey(ref);
    this.#paced.delete(key);
    if (!progress || !this.#send({ type: 'progress', ...ref, progress })) return;
    const latest: Latest = { ref, progress: undefined };
    this.#paced.set(key, latest);
    this.#clock.after(PACE_MS, () => this.#transmit(latest), { background: true });
  }
}
