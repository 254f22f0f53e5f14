/**
 * The history of jobs: each event once per (job, token, seq), numbered for readers by the cloud's own sequence within
 * the job.
 */
import type { Kysely, Selectable } from 'kysely';
import type { JobEvent } from '../../protocol/event.ts';
import type { Database } from './schema.ts';

export interface EventRecord extends JobEvent {
  id: number;
  connectorId: string | undefined;
}

export class Events {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async add(event: EventRecord): Promise<void> {
    await this.#db
      .insertInto('jobEvents')
      .values({
        ...event,
        kind: event.body.kind,
        body: JSON.stringify(event.body),
        connectorId: event.connectorId ?? null,
      })
      .execute();
  }

  /** Highest sequence number stored of a job and token; 0 when there is none. */
  async lastSeq(jobId: string, token: string): Promise<number> {
    const row = await this.#db
      .selectFrom('jobEvents')
      .select(({ fn }) => fn.max('seq').as('seq'))
      .where('jobId', '=', jobId)
      .where('token', '=', token)
      .executeTakeFirst();
    return Number(row?.seq ?? 0);
  }

  /** Events after the reader's last one, in order. */
  async after(jobId: string, id: number, limit: number): Promise<EventRecord[]> {
    const rows = await this.#db
      .selectFrom('jobEvents')
      .selectAll()
      .where('jobId', '=', jobId)
      .where('id', '>', id)
      .orderBy('id')
      .limit(limit)
      .execute();
    return rows.map(toRecord);
  }

  /** The newest log lines, oldest first. */
  async logLines(jobId: string, limit: number): Promise<EventRecord[]> {
    const rows = await this.#db
      .selectFrom('jobEvents')
      .selectAll()
      .where('jobId', '=', jobId)
      .where('kind', '=', 'log')
      .orderBy('id', 'desc')
      .limit(limit)
      .execute();
    return rows.reverse().map(toRecord);
  }
}

function toRecord(row: Selectable<Database['jobEvents']>): EventRecord {
  const { kind: _kind, ...plain } = row;
  return { ...plain, body: JSON.parse(row.body), connectorId: row.connectorId ?? undefined };
}
