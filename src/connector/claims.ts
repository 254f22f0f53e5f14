/**
 * Whether this connector can serve a source at all: asked of a short-lived worker, since only workers load providers.
 * It has no job in the journal and no effect.
 */
import type { Clock } from '../lib/clock.ts';
import type { ErrorReport } from '../protocol/errors.ts';
import type { JobParameters } from '../protocol/job.ts';
import type { JobRef } from './job-ref.ts';
import type { ForkWorker } from './worker-process.ts';

/** A worker answers within a minute by itself; after this time, in ms, it is ended. */
const ANSWER_LIMIT_MS = 75_000;

export type ClaimAnswer =
  | { kind: 'can' }
  | { kind: 'cannot'; reason: ErrorReport }
  /** The worker ended without a word. */
  | { kind: 'unknown'; how: string };

export function askWorker(
  fork: ForkWorker,
  clock: Clock,
  ref: JobRef,
  parameters: JobParameters,
): Promise<ClaimAnswer> {
  return new Promise((resolve) => {
    const worker = fork(ref, 'claim', {
      onMessage: (message) => {
        if (message.type !== 'claimed') return;
        resolve(message.error ? { kind: 'cannot', reason: message.error } : { kind: 'can' });
      },
      onExit: (how) => {
        timer.cancel();
        resolve({ kind: 'unknown', how });
      },
    });
    const timer = clock.after(ANSWER_LIMIT_MS, () => worker.kill());
    worker.send({ type: 'claim', parameters });
  });
}
