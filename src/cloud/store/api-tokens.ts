/** API tokens: only their SHA-256 is stored, so a stolen database opens nothing. */
import type { Kysely, Selectable } from 'kysely';
import type { Database } from './schema.ts';

export type ApiTokenRecord = Selectable<Database['apiTokens']>;

export class ApiTokens {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async add(token: ApiTokenRecord): Promise<void> {
    await this.#db.insertInto('apiTokens').values(token).execute();
  }

  async byHash(hash: string): Promise<ApiTokenRecord | undefined> {
    return await this.#db.selectFrom('apiTokens').selectAll().where('hash', '=', hash).executeTakeFirst();
  }

  async list(customerId: string): Promise<ApiTokenRecord[]> {
    return await this.#db
      .selectFrom('apiTokens')
      .selectAll()
      .where('customerId', '=', customerId)
      .orderBy('createdAt')
      .execute();
  }

  async touch(id: string, at: string): Promise<void> {
    await this.#db.updateTable('apiTokens').set({ lastUsedAt: at }).where('id', '=', id).execute();
  }

  /** @returns whether there was one */
  async remove(customerId: string, id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom('apiTokens')
      .where('customerId', '=', customerId)
      .where('id', '=', id)
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }
}
