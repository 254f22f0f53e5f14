/**
 * The only changes a job can undergo. Each is one UPDATE whose WHERE repeats what the caller believes (state, holder,
 * token), so that of two callers who race, one is told that it lost. `false` always means: nothing was changed.
 */
import type { Kysely, UpdateQueryBuilder, UpdateResult } from 'kysely';
import type { ErrorReport } from '../../protocol/errors.ts';
import type { Finding } from '../../protocol/finding.ts';
import type { JobResult, JobState, Step, TerminalState } from '../../protocol/job.ts';
import { compareTokens, type Token } from '../../protocol/token.ts';
import type { Database } from './schema.ts';

export interface Holder {
  connectorId: string;
  connectorName: string;
  token: Token;
}

export interface Ending {
  state: TerminalState;
  result: JobResult;
  error?: ErrorReport | undefined;
}

const NO_OFFER = { offerConnectorId: null, offerToken: null };

export class Transitions {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  /** Gives the next token away with an offer. Loses against anybody else who gave one since `lastToken` was read. */
  async offer(jobId: string, lastToken: Token | undefined, connectorId: string, token: Token): Promise<boolean> {
    return await changed(
      this.#job(jobId, ['queued', 'inProgress'])
        .set({ offerConnectorId: connectorId, offerToken: token, lastToken: token })
        .where('offerToken', 'is', null)
        .where('lastToken', 'is not distinct from', lastToken ?? null),
    );
  }

  async withdrawOffer(jobId: string, offerToken: Token): Promise<boolean> {
    return await changed(this.#job(jobId, ['queued', 'inProgress']).set(NO_OFFER).where('offerToken', '=', offerToken));
  }

  /** The offered connector becomes the holder, and its prospective token the job's. */
  async accept(jobId: string, holder: Holder, at: string): Promise<boolean> {
    return await changed(
      this.#job(jobId, ['queued', 'inProgress'])
        .set({ ...holder, ...NO_OFFER, state: 'inProgress', startedAt: at })
        .where('offerToken', '=', holder.token)
        .where('offerConnectorId', '=', holder.connectorId),
    );
  }

  /** As `accept`, when the offer was withdrawn unanswered and nothing was given away since. */
  async acceptLate(jobId: string, holder: Holder, at: string): Promise<boolean> {
    return await changed(
      this.#job(jobId, ['queued'])
        .set({ ...holder, state: 'inProgress', startedAt: at })
        .where('offerToken', 'is', null)
        .where('lastToken', '=', holder.token),
    );
  }

  /**
   * The holder shows that it lives: an offer to somebody else is withdrawn.
   * @returns false when this is not the holder (any more)
   */
  async confirmHolder(jobId: string, holder: { connectorId: string; token: Token }): Promise<boolean> {
    return await changed(this.#held(jobId, holder, ['inProgress', 'committing']).set(NO_OFFER));
  }

  /** The grant to commit. Loses against a cancel, and cancel against it. */
  async grant(jobId: string, holder: { connectorId: string; token: Token }): Promise<boolean> {
    return await changed(
      this.#held(jobId, holder, ['inProgress'])
        .set({ ...NO_OFFER, state: 'committing' })
        .where('cancelRequested', '=', 0),
    );
  }

  async requestCancel(jobId: string): Promise<boolean> {
    return await changed(this.#job(jobId, ['inProgress']).set({ cancelRequested: 1 }));
  }

  /** Nobody has it any more: back to the queue. */
  async requeue(jobId: string, token: Token, at: string): Promise<boolean> {
    return await changed(
      this.#job(jobId, ['inProgress'])
        .set({
          ...NO_OFFER,
          state: 'queued',
          step: 'queued',
          connectorId: null,
          connectorName: null,
          token: null,
          queuedAt: at,
          startedAt: null,
        })
        .where('token', '=', token),
    );
  }

  /**
   * Takes holder, token and state from a connector that is ahead of this (restored) cloud. What this cloud has given
   * away since its restore stays given away: `lastToken` never falls.
   */
  async adopt(
    jobId: string,
    lastToken: Token | undefined,
    holder: Holder,
    state: 'inProgress' | 'committing',
    at: string,
  ): Promise<boolean> {
    const isNewest = lastToken === undefined || compareTokens(holder.token, lastToken) > 0;
    return await changed(
      this.#job(jobId, ['queued', 'inProgress', 'committing'])
        .set((old) => ({
          ...holder,
          ...NO_OFFER,
          state,
          lastToken: isNewest ? holder.token : lastToken,
          startedAt: old.fn.coalesce('startedAt', old.val(at)),
        }))
        .where('lastToken', 'is not distinct from', lastToken ?? null),
    );
  }

  async setStep(jobId: string, holder: { connectorId: string; token: Token }, step: Step): Promise<boolean> {
    return await changed(this.#held(jobId, holder, ['inProgress', 'committing']).set({ step }));
  }

  async setFindings(
    jobId: string,
    holder: { connectorId: string; token: Token },
    findings: readonly Finding[],
  ): Promise<boolean> {
    return await changed(
      this.#held(jobId, holder, ['inProgress', 'committing']).set({ findings: JSON.stringify(findings) }),
    );
  }

  /** The end, once: the target is free again. */
  async end(jobId: string, from: readonly JobState[], ending: Ending, at: string): Promise<boolean> {
    const ended = await changed(
      this.#job(jobId, from).set({
        ...NO_OFFER,
        state: ending.state,
        result: JSON.stringify(ending.result),
        error: ending.error ? JSON.stringify(ending.error) : null,
        endedAt: at,
        ...(ending.state === 'complete' ? { step: 'done' as const } : {}),
      }),
    );
    if (ended) await this.#db.deleteFrom('liveTargets').where('jobId', '=', jobId).execute();
    return ended;
  }

  /** The cloud takes a token for itself: every offer and every older token is worth nothing from here on. */
  async takeToken(jobId: string, lastToken: Token | undefined, token: Token): Promise<boolean> {
    return await changed(
      this.#db
        .updateTable('jobs')
        .set({ ...NO_OFFER, lastToken: token })
        .where('id', '=', jobId)
        .where('lastToken', 'is not distinct from', lastToken ?? null),
    );
  }

  /** The cloud's own next event number within the job. */
  async nextEventId(jobId: string): Promise<number> {
    const row = await this.#db
      .updateTable('jobs')
      .set((old) => ({ lastEventId: old('lastEventId', '+', 1) }))
      .where('id', '=', jobId)
      .returning('lastEventId')
      .executeTakeFirstOrThrow();
    return row.lastEventId;
  }

  #job(jobId: string, from: readonly JobState[]) {
    return this.#db.updateTable('jobs').where('id', '=', jobId).where('state', 'in', from);
  }

  #held(jobId: string, holder: { connectorId: string; token: Token }, from: readonly JobState[]) {
    return this.#job(jobId, from).where('connectorId', '=', holder.connectorId).where('token', '=', holder.token);
  }
}

async function changed(query: UpdateQueryBuilder<Database, 'jobs', 'jobs', UpdateResult>): Promise<boolean> {
  const { numUpdatedRows } = await query.executeTakeFirst();
  return numUpdatedRows === 1n;
}
