/** Resource locations. Names are compared without case, within one customer. */
import type { Kysely } from 'kysely';
import type { Database } from './schema.ts';

export interface LocationRecord {
  id: string;
  customerId: string;
  name: string;
  createdAt: string;
}

export class Locations {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  /** @returns false when the name is taken */
  async add(location: LocationRecord): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto('resourceLocations')
      .values({ ...location, nameKey: location.name.toLowerCase() })
      .onConflict((conflict) => conflict.columns(['customerId', 'nameKey']).doNothing())
      .executeTakeFirst();
    return numInsertedOrUpdatedRows === 1n;
  }

  async find(customerId: string, nameOrId: string): Promise<LocationRecord | undefined> {
    return await this.#select()
      .where('customerId', '=', customerId)
      .where((where) => where.or([where('id', '=', nameOrId), where('nameKey', '=', nameOrId.toLowerCase())]))
      .executeTakeFirst();
  }

  async list(customerId: string): Promise<LocationRecord[]> {
    return await this.#select().where('customerId', '=', customerId).orderBy('nameKey').execute();
  }

  async remove(id: string): Promise<void> {
    await this.#db.deleteFrom('resourceLocations').where('id', '=', id).execute();
  }

  #select() {
    return this.#db.selectFrom('resourceLocations').select(['id', 'customerId', 'name', 'createdAt']);
  }
}
