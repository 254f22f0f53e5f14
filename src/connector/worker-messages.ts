/** What supervisor and worker say to each other over the fork's channel. Durable facts go through the journal. */
import type { ErrorReport } from '../protocol/errors.ts';
import type { JobParameters, Progress } from '../protocol/job.ts';
import type { CredentialEnvelope, CredentialPurpose } from '../protocol/link.ts';
import type { ConnectorConfig } from './config.ts';

/** What a worker is started for; `claim` needs no job in the journal, only a `claim` message. */
export const WORKER_MODES = ['run', 'teardown', 'claim'] as const;
export type WorkerMode = (typeof WORKER_MODES)[number];

export type ToSupervisor =
  /** Something is new in the outbox. */
  | { type: 'outbox' }
  | { type: 'progress'; progress: Progress }
  | { type: 'credentials'; requestId: string; purpose: CredentialPurpose }
  /** May I commit? Answered when the cloud has answered, however long it is away. */
  | { type: 'commit'; requestId: string }
  /** Nobody waits for the answer to this question any more. */
  | { type: 'withdrawn'; requestId: string }
  /** Answer to `claim`: without an error this connector can serve the source. The worker exits after it. */
  | { type: 'claimed'; error?: ErrorReport };

export type ToWorker =
  /** The first message: what the daemon runs with. No setting is a secret. */
  | { type: 'configuration'; config: ConnectorConfig }
  /** Answer to `credentials`. */
  | { type: 'envelopes'; requestId: string; envelopes: CredentialEnvelope[] }
  /** Answer to `commit`. It counts for `leaseTtlMs` from when the question was asked. */
  | { type: 'granted'; requestId: string; leaseTtlMs: number }
  /** The cloud says no to a question. */
  | { type: 'refused'; requestId: string; error: ErrorReport }
  /** The journal says cancel (or stop): look there. */
  | { type: 'look' }
  /** Only in mode `claim`: can this connector serve the source at all? */
  | { type: 'claim'; parameters: JobParameters };
