/** What supervisor and worker say to each other over the fork's channel. Durable facts go through the journal. */
import type { ErrorReport } from '../protocol/errors.ts';
import type { JobParameters, Progress } from '../protocol/job.ts';
import type { CredentialEnvelope, CredentialPurpose } from '../protocol/link.ts';

/** How a worker is started; `claim` needs no job in the journal, only a `claim` message. */
export const WORKER_MODES = ['run', 'resume', 'teardown', 'claim'] as const;
export type WorkerMode = (typeof WORKER_MODES)[number];

export type ToSupervisor =
  /** Something is new in the outbox. */
  | { type: 'outbox' }
  | { type: 'progress'; progress: Progress }
  | { type: 'credentials'; requestId: string; purpose: CredentialPurpose }
  /** May I commit? Answered when the cloud has answered, however long it is away. */
  | { type: 'commit'; requestId: string }
  /** Answer to `claim`: without an error this connector can serve the source. The worker exits after it. */
  | { type: 'claimed'; error?: ErrorReport };

export type ToWorker =
  | { type: 'credentialsAnswer'; requestId: string; envelopes?: CredentialEnvelope[]; error?: ErrorReport }
  | { type: 'commitAnswer'; requestId: string; error?: ErrorReport }
  /** The journal says cancel (or stop): look there. */
  | { type: 'look' }
  /** Only in mode `claim`: can this connector serve the source at all? */
  | { type: 'claim'; parameters: JobParameters };
