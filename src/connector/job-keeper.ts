/**
 * Keeps one accepted job and token moving: there is a worker for it until its end is told and its ledger is empty. A
 * worker that crashes is followed by another, later and later; after too many crashes only the teardown is tried. What
 * a teardown could not remove is tried again every few minutes, for as long as it takes.
 */
import { type BackoffLimits, backoffMs } from '../lib/backoff.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { Logger } from '../lib/logging.ts';
import type { RandomSource } from '../lib/random.ts';
import type { JobRef } from './job-ref.ts';
import type { Journal } from './journal.ts';
import type { ToSupervisor, WorkerMode } from './worker-messages.ts';
import type { ForkWorker, WorkerHandle } from './worker-process.ts';

/** Crashes after which a job is given up. */
export const MAX_CRASHES = 5;
const CRASH_RETRY: BackoffLimits = { firstMs: 1_000, maxMs: 60_000 };
const SWEEP: BackoffLimits = { firstMs: 120_000, maxMs: 1_800_000 };

export interface KeeperTools {
  journal: Pick<Journal, 'job' | 'countCrash'>;
  /** Whether nothing is left of what the job made. */
  isLedgerEmpty(ref: JobRef): boolean;
  fork: ForkWorker;
  clock: Clock;
  random: RandomSource;
  log: Logger;
}

export interface KeeperListener {
  onMessage(worker: WorkerHandle, message: ToSupervisor): void;
  onWorkerGone(worker: WorkerHandle): void;
}

type State =
  | { kind: 'idle' }
  | { kind: 'working'; worker: WorkerHandle }
  | { kind: 'waiting'; timer: Timer }
  | { kind: 'stopped' };

export class JobKeeper {
  readonly ref: JobRef;
  readonly #tools: KeeperTools;
  readonly #listener: KeeperListener;
  #state: State = { kind: 'idle' };
  #sweeps = 0;

  constructor(ref: JobRef, tools: KeeperTools, listener: KeeperListener) {
    this.ref = ref;
    this.#tools = tools;
    this.#listener = listener;
  }

  get hasWorker(): boolean {
    return this.#state.kind === 'working';
  }

  /** A worker is there, or will be: otherwise one is started if there is anything left to do. */
  ensure(): void {
    if (this.#state.kind !== 'idle') return;
    const next = this.#nextMode();
    if (next) this.#start(next);
  }

  /** The journal has news for the worker. */
  look(): void {
    if (this.#state.kind === 'working') this.#state.worker.send({ type: 'look' });
    else this.ensure();
  }

  /** Starts no more workers and hears nothing more: the journal may be closed. A worker ends with this process. */
  stop(): void {
    if (this.#state.kind === 'waiting') this.#state.timer.cancel();
    this.#state = { kind: 'stopped' };
  }

  #nextMode(): WorkerMode | undefined {
    const job = this.#tools.journal.job(this.ref.jobId, this.ref.token);
    if (!job) return undefined;
    if (job.phase === 'leftover') return this.#tools.isLedgerEmpty(this.ref) ? undefined : 'teardown';
    return job.crashes >= MAX_CRASHES ? 'teardown' : 'run';
  }

  #start(mode: WorkerMode): void {
    const worker = this.#tools.fork(this.ref, mode, {
      onMessage: (message) => {
        if (this.#state.kind !== 'stopped') this.#listener.onMessage(worker, message);
      },
      onExit: (how) => {
        if (this.#state.kind === 'stopped') return;
        this.#ended(how);
        this.#listener.onWorkerGone(worker);
      },
    });
    this.#state = { kind: 'working', worker };
    this.#tools.log.info('worker started', { ...this.ref, mode });
  }

  #ended(how: string): void {
    this.#state = { kind: 'idle' };
    const { journal, random, log } = this.#tools;
    const job = journal.job(this.ref.jobId, this.ref.token);
    if (!job) return;
    if (job.phase === 'leftover') {
      if (this.#tools.isLedgerEmpty(this.ref)) return;
      this.#startIn(backoffMs(SWEEP, this.#sweeps, random), 'something is left to remove; it will be tried again');
      this.#sweeps += 1;
      return;
    }
    const crashes = journal.countCrash(this.ref.jobId, this.ref.token);
    log.error('a worker ended before its job', { ...this.ref, how, crashes });
    if (crashes === MAX_CRASHES) log.error('the job is given up: only its teardown is tried', { ...this.ref });
    this.#startIn(backoffMs(CRASH_RETRY, crashes - 1, random), 'a new worker will be started');
  }

  #startIn(ms: number, message: string): void {
    this.#tools.log.info(message, { ...this.ref, inSeconds: Math.round(ms / 100) / 10 });
    const timer = this.#tools.clock.after(ms, () => {
      this.#state = { kind: 'idle' };
      this.ensure();
    });
    this.#state = { kind: 'waiting', timer };
  }
}
