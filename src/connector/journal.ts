/**
 * The journal: what this connector has accepted, how far it is, what it has made (the ledger) and what it still has to
 * tell the cloud (the outbox). One SQLite file with full synchronous writes, shared by the supervisor and the workers;
 * only the holder of a job's lock writes that job's rows. A change and the event that tells of it are one transaction.
 */
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import type { Uptime } from '../lib/uptime.ts';
import type { EventBody, JobEvent } from '../protocol/event.ts';
import type { Step } from '../protocol/job.ts';
import type { CredentialEnvelope } from '../protocol/link.ts';
import type { Token } from '../protocol/token.ts';
import { type FollowedEngine, type JournalJob, MIGRATIONS, type Outcome, type Row, toJob } from './journal-job.ts';

export type { FollowedEngine, JournalJob, Outcome } from './journal-job.ts';

/** Rows of the outbox beyond which log lines are dropped, so that there is always room for what must be told. */
const OUTBOX_LOG_LIMIT = 5_000;

export class Journal {
  readonly #db: DatabaseSync;
  readonly #doors: Doors;
  readonly #clock: Clock;

  /** Opens the journal, creating or migrating it. @param path file that only this user may read */
  constructor(path: string, doors: Doors, clock: Clock) {
    this.#doors = doors;
    this.#clock = clock;
    this.#db = new DatabaseSync(path);
    this.#db.exec('PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    this.#migrate();
  }

  /** The connection, for the ledger, which writes rows of its own in the same transactions. */
  get database(): DatabaseSync {
    return this.#db;
  }

  close(): void {
    this.#db.close();
  }

  /** Runs `change` as one durable transaction. @param point what it is, for the doors */
  transaction<T>(point: string, change: () => T): T {
    return this.#doors.passSync('journal', point, () => {
      this.#db.exec('BEGIN IMMEDIATE');
      try {
        const answer = change();
        this.#db.exec('COMMIT');
        return answer;
      } catch (error) {
        // Some failures, a full disk among them, have rolled it back already.
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
        throw error;
      }
    });
  }

  /** Records an acceptance and its first event. A job and token that is there already is left as it is. */
  accept(job: Pick<JournalJob, 'jobId' | 'token' | 'parameters' | 'limits' | 'acceptedAt'>, connectorId: string): void {
    this.transaction('job.accept', () => {
      const { changes } = this.#db
        .prepare(
          `INSERT INTO jobs (job_id, token, parameters, limits, phase, accepted_at)
           VALUES (?, ?, ?, ?, 'running', ?) ON CONFLICT DO NOTHING`,
        )
        .run(
          job.jobId,
          job.token,
          JSON.stringify(job.parameters),
          JSON.stringify(job.limits),
          JSON.stringify(job.acceptedAt),
        );
      if (changes > 0) this.append(job.jobId, job.token, { kind: 'accepted', connectorId });
    });
  }

  jobs(): JournalJob[] {
    return this.#db
      .prepare('SELECT * FROM jobs ORDER BY rowid')
      .all()
      .map((row) => toJob(row as Row));
  }

  job(jobId: string, token: Token): JournalJob | undefined {
    const row = this.#db.prepare('SELECT * FROM jobs WHERE job_id = ? AND token = ?').get(jobId, token);
    return row ? toJob(row as Row) : undefined;
  }

  requestCancel(jobId: string, token: Token): void {
    this.#update('job.cancel', jobId, token, 'cancel_requested = 1');
  }

  requestStop(jobId: string, token: Token): void {
    this.#update('job.stop', jobId, token, 'stop_requested = 1');
  }

  /** Counts a worker that ended before its job. @returns how many there were, this one included */
  countCrash(jobId: string, token: Token): number {
    this.#update('job.crash', jobId, token, 'crashes = crashes + 1');
    return this.job(jobId, token)?.crashes ?? 0;
  }

  storeEnvelopes(jobId: string, token: Token, envelopes: readonly CredentialEnvelope[]): void {
    this.#update('job.envelopes', jobId, token, 'envelopes = ?', JSON.stringify(envelopes));
  }

  /** Drops the sealed credentials: the ledger is empty, nothing needs them any more. */
  dropEnvelopes(jobId: string, token: Token): void {
    this.#update('job.envelopes.drop', jobId, token, 'envelopes = NULL');
  }

  /** The cloud's grant to commit: from here on the job can no more be cancelled. Nothing after an outcome. */
  storeGrant(jobId: string, token: Token): void {
    this.#update('job.granted', jobId, token, "phase = CASE phase WHEN 'running' THEN 'committing' ELSE phase END");
  }

  /** The outcome, before teardown. The first one stays. */
  storeOutcome(jobId: string, token: Token, outcome: Outcome): void {
    this.#update(
      'job.outcome',
      jobId,
      token,
      "phase = CASE WHEN outcome IS NULL THEN 'finishing' ELSE phase END, outcome = coalesce(outcome, ?)",
      JSON.stringify(outcome),
    );
  }

  /** Records that a step was entered and tells of it, once, however often it is entered again after a restart. */
  enterStep(jobId: string, token: Token, step: Step, at: Uptime): void {
    if (this.job(jobId, token)?.steps[step]) return;
    this.transaction(`step.${step}`, () => this.#enter(jobId, token, step, at));
  }

  /**
   * Advances the engine's cursor and puts what follows from its event into the outbox: one transaction, so that no
   * event of the engine is told twice or lost.
   */
  follow(
    jobId: string,
    token: Token,
    engine: FollowedEngine,
    news: { bodies?: readonly EventBody[]; step?: { step: Step; at: Uptime } },
  ): void {
    this.transaction('engine.follow', () => {
      this.#db
        .prepare('UPDATE jobs SET engine = ? WHERE job_id = ? AND token = ?')
        .run(JSON.stringify(engine), jobId, token);
      if (news.step) this.#enter(jobId, token, news.step.step, news.step.at);
      for (const body of news.bodies ?? []) this.append(jobId, token, body);
    });
  }

  /** Puts an event into the outbox. */
  tell(jobId: string, token: Token, body: EventBody): void {
    this.transaction(`outbox.${body.kind}`, () => this.append(jobId, token, body));
  }

  /**
   * The end as this connector tells it, once: the terminal event, the phase that the sweeper reads, and the outcome as
   * it was told, for a cloud that asks for it again.
   */
  end(jobId: string, token: Token, outcome: Outcome): void {
    this.transaction('job.end', () => {
      if (this.job(jobId, token)?.phase === 'leftover') return;
      this.append(jobId, token, { kind: 'ended', ...outcome });
      this.#db
        .prepare("UPDATE jobs SET phase = 'leftover', outcome = ? WHERE job_id = ? AND token = ?")
        .run(JSON.stringify(outcome), jobId, token);
    });
  }

  /** Oldest events that the cloud has not acknowledged. */
  outbox(limit: number): JobEvent[] {
    return this.#db
      .prepare('SELECT * FROM outbox ORDER BY rowid LIMIT ?')
      .all(limit)
      .map((row) => ({
        jobId: String(row.job_id),
        token: String(row.token),
        seq: Number(row.seq),
        at: String(row.at),
        body: JSON.parse(String(row.body)),
      }));
  }

  /** The cloud has stored everything of this job and token up to `seq`. */
  acknowledge(upTo: readonly { jobId: string; token: Token; seq: number }[]): void {
    this.transaction('outbox.acknowledge', () => {
      const remove = this.#db.prepare('DELETE FROM outbox WHERE job_id = ? AND token = ? AND seq <= ?');
      for (const { jobId, token, seq } of upTo) remove.run(jobId, token, seq);
    });
  }

  /** Drops a job that has nothing left: its end is told and acknowledged, its ledger is empty. */
  forget(jobId: string, token: Token): void {
    this.transaction('job.forget', () => {
      for (const table of ['outbox', 'ledger', 'jobs'])
        this.#db.prepare(`DELETE FROM ${table} WHERE job_id = ? AND token = ?`).run(jobId, token);
    });
  }

  /** Whether events of this job and token wait to be acknowledged. */
  hasOutbox(jobId: string, token: Token): boolean {
    return this.#db.prepare('SELECT 1 FROM outbox WHERE job_id = ? AND token = ?').get(jobId, token) !== undefined;
  }

  /** Appends an event; only inside a transaction. */
  append(jobId: string, token: Token, body: EventBody): void {
    if (body.kind === 'log' && this.#outboxSize() >= OUTBOX_LOG_LIMIT) return;
    const row = this.#db
      .prepare('UPDATE jobs SET next_seq = next_seq + 1 WHERE job_id = ? AND token = ? RETURNING next_seq - 1 AS seq')
      .get(jobId, token);
    if (!row) throw new Error(`the journal has no job ${jobId} with token ${token}`);
    this.#db
      .prepare('INSERT INTO outbox (job_id, token, seq, at, body) VALUES (?, ?, ?, ?, ?)')
      .run(jobId, token, Number(row.seq), this.#clock.wall().toISOString(), JSON.stringify(bounded(body)));
  }

  #enter(jobId: string, token: Token, step: Step, at: Uptime): void {
    const { changes } = this.#db
      .prepare(
        `UPDATE jobs SET steps = json_set(steps, '$.' || ?, json(?))
         WHERE job_id = ? AND token = ? AND json_extract(steps, '$.' || ?) IS NULL`,
      )
      .run(step, JSON.stringify(at), jobId, token, step);
    if (changes > 0) this.append(jobId, token, { kind: 'step', step });
  }

  #outboxSize(): number {
    return Number(this.#db.prepare('SELECT count(*) AS n FROM outbox').get()?.n ?? 0);
  }

  #update(point: string, jobId: string, token: Token, assignment: string, ...values: string[]): void {
    this.transaction(point, () => {
      this.#db.prepare(`UPDATE jobs SET ${assignment} WHERE job_id = ? AND token = ?`).run(...values, jobId, token);
    });
  }

  #migrate(): void {
    if (this.#version() === MIGRATIONS.length) return;
    this.transaction('migrate', () => {
      // Read again: another process may have been faster.
      const version = this.#version();
      if (version > MIGRATIONS.length)
        throw new Error(`the journal was written by a newer release (schema ${version}, known ${MIGRATIONS.length})`);
      for (const sql of MIGRATIONS.slice(version)) this.#db.exec(sql);
      this.#db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    });
  }

  #version(): number {
    return Number(this.#db.prepare('PRAGMA user_version').get()?.user_version ?? 0);
  }
}

/** Longest text that an event carries, in characters. */
const MAX_TEXT = 4_000;

/**
 * The event with its texts cut. They come from engines and platforms, and one that fits into no frame of the link would
 * block every event behind it for ever.
 */
function bounded(body: EventBody): EventBody {
  const cut = (text: string) => text.slice(0, MAX_TEXT);
  if (body.kind === 'log') return { ...body, message: cut(body.message) };
  if (body.kind !== 'ended' || !body.error) return body;
  const { code, message, hint } = body.error;
  return { ...body, error: { code: cut(code), message: cut(message), hint: cut(hint) } };
}
