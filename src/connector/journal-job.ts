/** What the journal knows of one job and token, and the shape of its rows. */
import type { Uptime } from '../lib/uptime.ts';
import type { Verified } from '../protocol/engine.ts';
import type { ErrorReport } from '../protocol/errors.ts';
import type { JobParameters, JobResult, Limits, Step, TerminalState } from '../protocol/job.ts';
import type { CredentialEnvelope } from '../protocol/link.ts';
import type { HeldState } from '../protocol/reconciliation.ts';
import type { Token } from '../protocol/token.ts';

/** The outcome, decided before teardown begins. */
export interface Outcome {
  state: TerminalState;
  result: JobResult;
  error?: ErrorReport | undefined;
}

/** The engine of a job, as far as it was followed. */
export interface FollowedEngine {
  bootId: string;
  version: string;
  /** The last of its events whose consequences are in the journal. */
  cursor: number;
  /** What it told at "verified". */
  verified?: Verified | undefined;
}

export interface JournalJob {
  jobId: string;
  token: Token;
  parameters: JobParameters;
  limits: Limits;
  phase: HeldState;
  /** An operator's cancel that has reached this connector. */
  cancelRequested: boolean;
  /** The lease is lost: tear down, report nothing. */
  stopRequested: boolean;
  outcome: Outcome | undefined;
  /** Sealed credentials, kept until the ledger is empty. */
  envelopes: CredentialEnvelope[] | undefined;
  engine: FollowedEngine | undefined;
  /** When each step was first entered: what makes a step's event and its duration survive a restart. */
  steps: Partial<Record<Step, Uptime>>;
  /** How many workers ended before it did. */
  crashes: number;
  acceptedAt: Uptime;
}

/** The schema; each entry brings a file of the version before it to the next. */
export const MIGRATIONS = [
  `CREATE TABLE jobs (
     job_id TEXT NOT NULL, token TEXT NOT NULL,
     parameters TEXT NOT NULL, limits TEXT NOT NULL,
     phase TEXT NOT NULL CHECK (phase IN ('running', 'committing', 'finishing', 'leftover')),
     cancel_requested INTEGER NOT NULL DEFAULT 0, stop_requested INTEGER NOT NULL DEFAULT 0,
     outcome TEXT, envelopes TEXT, engine TEXT,
     steps TEXT NOT NULL DEFAULT '{}', attempts INTEGER NOT NULL DEFAULT 0, accepted_at TEXT NOT NULL, next_seq INTEGER NOT NULL DEFAULT 1,
     PRIMARY KEY (job_id, token)) STRICT;
   CREATE TABLE outbox (
     job_id TEXT NOT NULL, token TEXT NOT NULL, seq INTEGER NOT NULL, at TEXT NOT NULL, body TEXT NOT NULL,
     PRIMARY KEY (job_id, token, seq)) STRICT;
   CREATE TABLE ledger (
     id TEXT NOT NULL PRIMARY KEY, position INTEGER NOT NULL,
     job_id TEXT NOT NULL, token TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('intent', 'made', 'gone')),
     platform_id TEXT, tags TEXT NOT NULL, remove_with TEXT) STRICT;
   CREATE INDEX ledger_by_job ON ledger (job_id, token, position);`,
  'ALTER TABLE jobs RENAME COLUMN attempts TO crashes',
];

export type Row = Record<string, string | number | null>;

/** A row of the table `jobs`. */
export function toJob(row: Row): JournalJob {
  const json = (text: string | number | null | undefined) => (text == null ? undefined : JSON.parse(String(text)));
  return {
    jobId: String(row.job_id),
    token: String(row.token),
    parameters: json(row.parameters),
    limits: json(row.limits),
    phase: String(row.phase) as HeldState,
    cancelRequested: row.cancel_requested === 1,
    stopRequested: row.stop_requested === 1,
    outcome: json(row.outcome),
    envelopes: json(row.envelopes),
    engine: json(row.engine),
    steps: json(row.steps) ?? {},
    crashes: Number(row.crashes),
    acceptedAt: json(row.accepted_at),
  };
}
