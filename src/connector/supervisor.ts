/**
 * The supervisor: takes offers, keeps a worker for each job of the journal, and stands between workers and cloud. It
 * decides nothing about a job's work and holds no truth of its own: that is the journal, so that a new process goes on
 * where this one ended. Providers are never loaded here.
 */
import type { Timer } from '../lib/clock.ts';
import type { HeldJob, ToCloud } from '../protocol/link.ts';
import type { SettleAction } from '../protocol/reconciliation.ts';
import { JobKeeper, type KeeperTools } from './job-keeper.ts';
import { type JobRef, refKey } from './job-ref.ts';
import type { SessionMessage, Welcome } from './link-session.ts';
import { OfferDesk, type OfferTools } from './offers.ts';
import { OutboxSender } from './outbox-sender.ts';
import { ProgressRelay } from './progress-relay.ts';
import { Requests } from './requests.ts';
import type { ToSupervisor } from './worker-messages.ts';
import type { WorkerHandle } from './worker-process.ts';

export type SupervisorTools = KeeperTools & OfferTools;

export class Supervisor {
  readonly #tools: SupervisorTools;
  readonly #keepers = new Map<string, JobKeeper>();
  readonly #offers: OfferDesk;
  readonly #outbox: OutboxSender;
  readonly #progress: ProgressRelay;
  readonly #requests: Requests;
  #renewals: Timer | undefined;
  #renewed = 0;

  constructor(tools: SupervisorTools) {
    this.#tools = tools;
    const send = (message: ToCloud) => tools.send(message);
    this.#offers = new OfferDesk(tools, (ref) => this.#accepted(ref));
    this.#outbox = new OutboxSender(tools.journal, send, tools.clock);
    this.#progress = new ProgressRelay(send, tools.clock);
    this.#requests = new Requests(send, tools.random);
  }

  /** Goes on with every job of the journal. */
  start(): void {
    for (const job of this.#tools.journal.jobs()) {
      this.#keeper(job).ensure();
      this.#forgetIfDone(job);
    }
  }

  /** Takes nothing new and starts no more workers. Engines go on; the next start finds them. */
  stop(): void {
    this.#offers.stop();
    this.linkDown();
    for (const keeper of this.#keepers.values()) keeper.stop();
  }

  held(): HeldJob[] {
    return this.#tools.journal.jobs().map(({ jobId, token, phase }) => ({ jobId, token, state: phase }));
  }

  linkUp({ leaseTtlMs }: Welcome): void {
    this.#renewals = this.#tools.clock.every(Math.max(1_000, leaseTtlMs / 3), () => this.#renew());
    this.#requests.linkUp(leaseTtlMs);
    this.#outbox.linkUp();
  }

  linkDown(): void {
    this.#renewals?.cancel();
    this.#outbox.linkDown();
  }

  handle(message: SessionMessage): void {
    switch (message.type) {
      case 'offer':
        void this.#offers.take(message);
        return;
      case 'settle':
        this.#settle(message, message.action);
        return;
      case 'cancel':
        this.#tools.journal.requestCancel(message.jobId, message.token);
        this.#look(message);
        return;
      case 'renewed':
        for (const ref of message.refused) this.#stopJob(ref);
        return;
      case 'credentialsAnswer':
      case 'commitAnswer':
        this.#requests.answered(message);
        return;
      case 'eventsStored':
        this.#outbox.stored(message.upTo);
        for (const ref of message.upTo) this.#forgetIfDone(ref);
        return;
    }
  }

  #accepted(ref: JobRef): void {
    this.#outbox.nudge();
    this.#keeper(ref).ensure();
  }

  /** The cloud's word on a job after a reconnect; see protocol/reconciliation.ts. */
  #settle(ref: JobRef, action: SettleAction): void {
    const { journal, log } = this.#tools;
    const job = journal.job(ref.jobId, ref.token);
    log.info('settled', { ...keyed(ref), action, phase: job?.phase ?? 'absent' });
    if (!job) return;
    switch (action) {
      case 'continue':
        break;
      case 'cancel':
        journal.requestCancel(ref.jobId, ref.token);
        break;
      case 'commit':
        journal.storeGrant(ref.jobId, ref.token);
        this.#requests.granted(ref);
        break;
      case 'stop':
        journal.requestStop(ref.jobId, ref.token);
        break;
      case 'report':
        if (job.phase === 'leftover') this.#tellEndAgain(ref);
        break;
      case 'forget':
        // What is still in the outbox is told all the same: the cloud keeps it as history, or has no use for it and says so.
        this.#forgetIfDone(ref);
        return;
    }
    this.#look(ref);
  }

  /** The end was acknowledged once, but the cloud does not know it any more: it was restored from a backup. */
  #tellEndAgain(ref: JobRef): void {
    const { journal } = this.#tools;
    const outcome = journal.job(ref.jobId, ref.token)?.outcome;
    if (!outcome || journal.hasOutbox(ref.jobId, ref.token)) return;
    journal.tell(ref.jobId, ref.token, { kind: 'ended', ...outcome });
    this.#outbox.nudge();
  }

  #stopJob(ref: JobRef): void {
    const { journal, log } = this.#tools;
    const job = journal.job(ref.jobId, ref.token);
    if (!job || job.phase === 'leftover' || job.stopRequested) return;
    log.warn('the lease was refused: the job is stopped here', { ...keyed(ref) });
    journal.requestStop(ref.jobId, ref.token);
    this.#look(ref);
  }

  #look(ref: JobRef): void {
    if (this.#tools.journal.job(ref.jobId, ref.token)) this.#keeper(ref).look();
  }

  /** Of jobs whose end is not told yet and which are still ours. */
  #renew(): void {
    const held = this.#tools.journal.jobs().filter((job) => job.phase !== 'leftover' && !job.stopRequested);
    if (held.length === 0) return;
    this.#renewed += 1;
    this.#tools.send({ type: 'renew', n: this.#renewed, leases: held.map(keyed) });
  }

  #keeper(job: JobRef): JobKeeper {
    const ref = keyed(job);
    const known = this.#keepers.get(refKey(ref));
    if (known) return known;
    const keeper = new JobKeeper(ref, this.#tools, {
      onMessage: (worker, message) => this.#heard(ref, worker, message),
      onWorkerGone: (worker) => {
        this.#requests.workerGone(worker);
        this.#outbox.nudge();
        this.#forgetIfDone(ref);
      },
    });
    this.#keepers.set(refKey(ref), keeper);
    return keeper;
  }

  #heard(ref: JobRef, worker: WorkerHandle, message: ToSupervisor): void {
    switch (message.type) {
      case 'outbox':
        this.#outbox.nudge();
        return;
      case 'progress':
        this.#progress.report(ref, message.progress);
        return;
      case 'credentials':
      case 'commit':
        this.#requests.ask(ref, worker, message);
        return;
      case 'withdrawn':
        this.#requests.withdraw(worker, message.requestId);
        return;
      case 'claimed':
        return;
    }
  }

  /** Drops a job whose end is told and acknowledged and of which nothing is left. */
  #forgetIfDone(job: JobRef): void {
    const { journal } = this.#tools;
    const ref = keyed(job);
    if (journal.job(ref.jobId, ref.token)?.phase !== 'leftover') return;
    if (journal.hasOutbox(ref.jobId, ref.token) || !this.#tools.isLedgerEmpty(ref)) return;
    if (this.#keepers.get(refKey(ref))?.hasWorker) return;
    journal.forget(ref.jobId, ref.token);
    this.#keepers.get(refKey(ref))?.stop();
    this.#keepers.delete(refKey(ref));
    this.#tools.log.info('the job is over and nothing is left of it here', { ...ref });
  }
}

function keyed({ jobId, token }: JobRef): JobRef {
  return { jobId, token };
}
