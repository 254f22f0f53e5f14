/** The wallet's rows. What they lock is opaque here; `wallet/` makes and opens it. */
import type { Kysely, Selectable } from 'kysely';
import type { Locked } from '../wallet/lockbox.ts';
import type { Database } from './schema.ts';

type Row = Selectable<Database['credentials']>;
export interface CredentialRecord extends Omit<Row, 'allowedTargets' | 'locked'> {
  allowedTargets: string[];
  locked: Locked;
}

export class Credentials {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  /** The version that the next secret of this name gets: also after a deletion, none comes twice. */
  async nextVersion(customerId: string, name: string): Promise<number> {
    const row = await this.#db
      .selectFrom('credentials')
      .select('version')
      .where('customerId', '=', customerId)
      .where('name', '=', name)
      .executeTakeFirst();
    return (row?.version ?? 0) + 1;
  }

  async put(credential: Omit<CredentialRecord, 'createdAt'>): Promise<void> {
    const row = {
      ...credential,
      allowedTargets: JSON.stringify(credential.allowedTargets),
      locked: JSON.stringify(credential.locked),
    };
    const { customerId: _customerId, name: _name, ...changed } = row;
    await this.#db
      .insertInto('credentials')
      .values({ ...row, createdAt: credential.updatedAt })
      .onConflict((conflict) => conflict.columns(['customerId', 'name']).doUpdateSet(changed))
      .execute();
  }

  async find(customerId: string, name: string): Promise<CredentialRecord | undefined> {
    const row = await this.#db
      .selectFrom('credentials')
      .selectAll()
      .where('customerId', '=', customerId)
      .where('name', '=', name)
      .executeTakeFirst();
    return row && toRecord(row);
  }

  async list(customerId: string): Promise<CredentialRecord[]> {
    const rows = await this.#db
      .selectFrom('credentials')
      .selectAll()
      .where('customerId', '=', customerId)
      .orderBy('name')
      .execute();
    return rows.map(toRecord).filter((record) => record !== undefined);
  }

  /** Whether any secret is locked here, of whichever customer. */
  async any(): Promise<boolean> {
    const row = await this.#db
      .selectFrom('credentials')
      .select('name')
      .where('locked', 'is not', null)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Forgets the secret, keeps the number. @returns whether there was one */
  async remove(customerId: string, name: string, at: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('credentials')
      .set({ locked: null, allowedTargets: '[]', updatedAt: at })
      .where('customerId', '=', customerId)
      .where('name', '=', name)
      .where('locked', 'is not', null)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  }
}

function toRecord(row: Row): CredentialRecord | undefined {
  if (row.locked === null) return undefined;
  return { ...row, allowedTargets: JSON.parse(row.allowedTargets), locked: JSON.parse(row.locked) };
}
