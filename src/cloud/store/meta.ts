/** The service's own facts: the epoch of its tokens, and the customers it serves. */
import type { Kysely } from 'kysely';
import type { Database } from './schema.ts';

export interface Customer {
  id: string;
  name: string;
}

export class Meta {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  /** The epoch that new tokens are given in; 1 until a restore raises it. */
  async epoch(): Promise<number> {
    const row = await this.#db.selectFrom('meta').select('value').where('name', '=', 'epoch').executeTakeFirst();
    return row ? Number(row.value) : 1;
  }

  async setEpoch(epoch: number): Promise<void> {
    const value = String(epoch);
    await this.#db
      .insertInto('meta')
      .values({ name: 'epoch', value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
      .execute();
  }

  async addCustomer(customer: Customer & { createdAt: string }): Promise<void> {
    await this.#db.insertInto('customers').values(customer).execute();
  }

  async customer(id: string): Promise<Customer | undefined> {
    return await this.#db.selectFrom('customers').select(['id', 'name']).where('id', '=', id).executeTakeFirst();
  }

  async customers(): Promise<Customer[]> {
    return await this.#db.selectFrom('customers').select(['id', 'name']).orderBy('createdAt').execute();
  }
}
