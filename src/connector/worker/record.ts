/** The journal of one job and token, as its worker writes it: each change that the cloud must hear of is announced. */
import { hostUptime } from '../../lib/uptime.ts';
import type { EventBody } from '../../protocol/event.ts';
import { overallPercent, type Progress, type Step } from '../../protocol/job.ts';
import type { CredentialEnvelope } from '../../protocol/link.ts';
import type { Token } from '../../protocol/token.ts';
import type { Journal } from '../journal.ts';
import type { FollowedEngine, JournalJob, Outcome } from '../journal-job.ts';
import type { WorkerChannel } from './environment.ts';

export class JobRecord {
  readonly jobId: string;
  readonly token: Token;
  readonly #journal: Journal;
  readonly #channel: WorkerChannel;

  constructor(journal: Journal, channel: WorkerChannel, jobId: string, token: Token) {
    this.#journal = journal;
    this.#channel = channel;
    this.jobId = jobId;
    this.token = token;
  }

  /**
   * The job as it stands in the journal now.
   * @throws Error when the journal does not have it
   */
  get job(): JournalJob {
    const job = this.#journal.job(this.jobId, this.token);
    if (!job) throw new Error(`the journal has no job ${this.jobId} with token ${this.token}`);
    return job;
  }

  enterStep(step: Step): void {
    this.#journal.enterStep(this.jobId, this.token, step, hostUptime());
    this.announce();
    this.progress({ step, overallProgressPercent: overallPercent(step, 0) });
  }

  progress(progress: Progress): void {
    this.#channel.send({ type: 'progress', progress });
  }

  tell(body: EventBody): void {
    this.#journal.tell(this.jobId, this.token, body);
    this.announce();
  }

  log(level: 'info' | 'warn' | 'error', message: string): void {
    this.tell({ kind: 'log', level, message });
  }

  /** Stores how far the engine was followed, with what follows from its news. */
  follow(engine: FollowedEngine, news: { bodies?: readonly EventBody[]; step?: Step }): void {
    const { bodies, step } = news;
    this.#journal.follow(this.jobId, this.token, engine, {
      ...(bodies ? { bodies } : {}),
      ...(step ? { step: { step, at: hostUptime() } } : {}),
    });
    this.announce();
  }

  storeEnvelopes(envelopes: readonly CredentialEnvelope[]): void {
    this.#journal.storeEnvelopes(this.jobId, this.token, envelopes);
  }

  dropEnvelopes(): void {
    this.#journal.dropEnvelopes(this.jobId, this.token);
  }

  storeGrant(): void {
    this.#journal.storeGrant(this.jobId, this.token);
  }

  storeOutcome(outcome: Outcome): void {
    this.#journal.storeOutcome(this.jobId, this.token, outcome);
  }

  end(outcome: Outcome): void {
    this.#journal.end(this.jobId, this.token, outcome);
    this.announce();
  }

  /** Something is in the outbox. */
  announce(): void {
    this.#channel.send({ type: 'outbox' });
  }
}
