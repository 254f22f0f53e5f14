/** Jobs: reading them, and adding one. What changes a job afterwards is in transitions.ts. */
import type { Kysely, Selectable } from 'kysely';
import type { ErrorReport } from '../../protocol/errors.ts';
import type { Finding } from '../../protocol/finding.ts';
import type { JobParameters, JobResult, JobState, Limits, Platform, Step } from '../../protocol/job.ts';
import type { Token } from '../../protocol/token.ts';
import type { Database } from './schema.ts';

export interface JobRecord {
  id: string;
  customerId: string;
  locationId: string;
  platform: Platform;
  state: JobState;
  step: Step;
  cancelRequested: boolean;
  parameters: JobParameters;
  limits: Limits;
  note: string | undefined;
  findings: Finding[];
  result: JobResult | undefined;
  error: ErrorReport | undefined;
  /** Who holds it, or held it when it ended. */
  connectorId: string | undefined;
  connectorName: string | undefined;
  /** The holder's token. */
  token: Token | undefined;
  /** The newest token given away for this job, to a holder, with an offer, or taken by the cloud itself. */
  lastToken: Token | undefined;
  offer: { connectorId: string; token: Token } | undefined;
  createdBy: string;
  createdAt: string;
  /** When it last began to wait for a connector. */
  queuedAt: string;
  startedAt: string | undefined;
  endedAt: string | undefined;
}

export type NewJob = Pick<
  JobRecord,
  'id' | 'customerId' | 'locationId' | 'platform' | 'parameters' | 'limits' | 'note' | 'createdBy' | 'createdAt'
>;

export class Jobs {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async add(job: NewJob): Promise<void> {
    await this.#db
      .insertInto('jobs')
      .values({
        ...job,
        parameters: JSON.stringify(job.parameters),
        limits: JSON.stringify(job.limits),
        note: job.note ?? null,
        state: 'queued',
        step: 'queued',
        cancelRequested: 0,
        findings: '[]',
        lastEventId: 0,
        queuedAt: job.createdAt,
      })
      .execute();
  }

  async byId(id: string): Promise<JobRecord | undefined> {
    const row = await this.#db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst();
    return row && toRecord(row);
  }

  async find(customerId: string, id: string): Promise<JobRecord | undefined> {
    const job = await this.byId(id);
    return job?.customerId === customerId ? job : undefined;
  }

  /** Newest first. */
  async list(
    customerId: string,
    filter: { state?: JobState | undefined; olderThan?: JobRecord | undefined; limit: number },
  ): Promise<JobRecord[]> {
    const { state, olderThan, limit } = filter;
    const rows = await this.#db
      .selectFrom('jobs')
      .selectAll()
      .where('customerId', '=', customerId)
      .$if(state !== undefined, (query) => query.where('state', '=', state as JobState))
      .$if(olderThan !== undefined, (query) =>
        query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple('createdAt', 'id'), '<', tuple(olderThan?.createdAt ?? '', olderThan?.id ?? '')),
        ),
      )
      .orderBy('createdAt', 'desc')
      .orderBy('id', 'desc')
      .limit(limit)
      .execute();
    return rows.map(toRecord);
  }

  async counts(customerId: string): Promise<Partial<Record<JobState, number>>> {
    const rows = await this.#db
      .selectFrom('jobs')
      .select(({ fn }) => ['state', fn.countAll().as('n')])
      .where('customerId', '=', customerId)
      .groupBy('state')
      .execute();
    return Object.fromEntries(rows.map((row) => [row.state, Number(row.n)]));
  }

  /** All jobs in these states, oldest first, of every customer: for the scheduler. */
  async inStates(states: readonly JobState[]): Promise<JobRecord[]> {
    const rows = await this.#db
      .selectFrom('jobs')
      .selectAll()
      .where('state', 'in', states)
      .orderBy('createdAt')
      .orderBy('id')
      .execute();
    return rows.map(toRecord);
  }

  /** Jobs that this connector holds. */
  async heldBy(connectorId: string): Promise<JobRecord[]> {
    const rows = await this.#db
      .selectFrom('jobs')
      .selectAll()
      .where('connectorId', '=', connectorId)
      .where('state', 'in', ['inProgress', 'committing'])
      .execute();
    return rows.map(toRecord);
  }

  /** Jobs that are offered to this connector. */
  async offeredTo(connectorId: string): Promise<JobRecord[]> {
    const rows = await this.#db
      .selectFrom('jobs')
      .selectAll()
      .where('offerConnectorId', '=', connectorId)
      .where('state', 'in', ['queued', 'inProgress'])
      .execute();
    return rows.map(toRecord);
  }

  async anyInLocation(locationId: string): Promise<boolean> {
    const row = await this.#db
      .selectFrom('jobs')
      .select('id')
      .where('locationId', '=', locationId)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Takes a target for a job. @returns the job that has it already, or undefined */
  async claimTarget(customerId: string, targetKey: string, jobId: string): Promise<string | undefined> {
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto('liveTargets')
      .values({ customerId, targetKey, jobId })
      .onConflict((conflict) => conflict.columns(['customerId', 'targetKey']).doNothing())
      .executeTakeFirst();
    if (numInsertedOrUpdatedRows === 1n) return undefined;
    const row = await this.#db
      .selectFrom('liveTargets')
      .select('jobId')
      .where('customerId', '=', customerId)
      .where('targetKey', '=', targetKey)
      .executeTakeFirstOrThrow();
    return row.jobId;
  }

  /** What an Idempotency-Key was used for. */
  async remembered(customerId: string, key: string): Promise<{ requestHash: string; answer: string } | undefined> {
    return await this.#db
      .selectFrom('idempotencyKeys')
      .select(['requestHash', 'answer'])
      .where('customerId', '=', customerId)
      .where('key', '=', key)
      .executeTakeFirst();
  }

  async remember(row: {
    customerId: string;
    key: string;
    requestHash: string;
    jobId: string;
    answer: string;
    createdMs: number;
  }): Promise<void> {
    await this.#db.insertInto('idempotencyKeys').values(row).execute();
  }

  async forgetKeys(beforeMs: number): Promise<void> {
    await this.#db.deleteFrom('idempotencyKeys').where('createdMs', '<', beforeMs).execute();
  }

  async addDecline(jobId: string, connectorId: string, error: ErrorReport, at: string): Promise<void> {
    await this.#db
      .insertInto('declines')
      .values({ jobId, connectorId, error: JSON.stringify(error), at })
      .onConflict((conflict) => conflict.columns(['jobId', 'connectorId']).doNothing())
      .execute();
  }

  /** Who has declined a job, oldest first. */
  async declines(jobId: string): Promise<{ connectorId: string; error: ErrorReport }[]> {
    const rows = await this.#db
      .selectFrom('declines')
      .select(['connectorId', 'error'])
      .where('jobId', '=', jobId)
      .orderBy('at')
      .execute();
    return rows.map((row) => ({ connectorId: row.connectorId, error: JSON.parse(row.error) }));
  }
}

function toRecord(row: Selectable<Database['jobs']>): JobRecord {
  const { lastEventId: _lastEventId, offerConnectorId, offerToken, ...plain } = row;
  return {
    ...plain,
    cancelRequested: row.cancelRequested === 1,
    parameters: JSON.parse(row.parameters),
    limits: JSON.parse(row.limits),
    note: row.note ?? undefined,
    findings: JSON.parse(row.findings),
    result: row.result === null ? undefined : JSON.parse(row.result),
    error: row.error === null ? undefined : JSON.parse(row.error),
    connectorId: row.connectorId ?? undefined,
    connectorName: row.connectorName ?? undefined,
    token: row.token ?? undefined,
    lastToken: row.lastToken ?? undefined,
    offer: offerConnectorId && offerToken ? { connectorId: offerConnectorId, token: offerToken } : undefined,
    startedAt: row.startedAt ?? undefined,
    endedAt: row.endedAt ?? undefined,
  };
}
