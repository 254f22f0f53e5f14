/**
 * Which connector was given which token of a job, with an offer or by adoption. A token says when, its bearer says who:
 * what comes under somebody else's token is not believed.
 */
import type { Kysely } from 'kysely';
import type { Token } from '../../protocol/token.ts';
import type { Database } from './schema.ts';

export class Bearers {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  /** The first one stays. */
  async add(jobId: string, token: Token, connectorId: string): Promise<void> {
    await this.#db
      .insertInto('bearers')
      .values({ jobId, token, connectorId })
      .onConflict((conflict) => conflict.columns(['jobId', 'token']).doNothing())
      .execute();
  }

  /** Id of the connector, or undefined when this cloud remembers giving the token to nobody. */
  async of(jobId: string, token: Token): Promise<string | undefined> {
    const row = await this.#db
      .selectFrom('bearers')
      .select('connectorId')
      .where('jobId', '=', jobId)
      .where('token', '=', token)
      .executeTakeFirst();
    return row?.connectorId;
  }
}
