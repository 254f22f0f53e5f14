/** Connectors as the cloud knows them for years; whether one is connected now is the hub's knowledge. */
import type { Kysely, Selectable } from 'kysely';
import type { Platform } from '../../protocol/job.ts';
import type { ConnectorStanding, Database } from './schema.ts';

type Row = Selectable<Database['connectors']>;
export interface ConnectorRecord extends Omit<Row, 'platforms' | 'nameKey' | 'trustNext' | 'pendingGeneration'> {
  platforms: Platform[];
  /** Issued with the last welcome and not acknowledged yet. */
  pendingGeneration: number | undefined;
  /** An operator vouched for the next one who calls, whatever its generation. */
  trustNext: boolean;
}

export class Connectors {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  /** @returns false when the name is taken */
  async add(connector: ConnectorRecord): Promise<boolean> {
    const { platforms, pendingGeneration, trustNext, ...plain } = connector;
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto('connectors')
      .values({
        ...plain,
        nameKey: connector.name.toLowerCase(),
        platforms: JSON.stringify(platforms),
        pendingGeneration: pendingGeneration ?? null,
        trustNext: Number(trustNext),
      })
      .onConflict((conflict) => conflict.columns(['customerId', 'nameKey']).doNothing())
      .executeTakeFirst();
    return numInsertedOrUpdatedRows === 1n;
  }

  async byId(id: string): Promise<ConnectorRecord | undefined> {
    const row = await this.#db.selectFrom('connectors').selectAll().where('id', '=', id).executeTakeFirst();
    return row && toRecord(row);
  }

  async find(customerId: string, nameOrId: string): Promise<ConnectorRecord | undefined> {
    const row = await this.#db
      .selectFrom('connectors')
      .selectAll()
      .where('customerId', '=', customerId)
      .where((where) => where.or([where('id', '=', nameOrId), where('nameKey', '=', nameOrId.toLowerCase())]))
      .executeTakeFirst();
    return row && toRecord(row);
  }

  async list(customerId: string): Promise<ConnectorRecord[]> {
    const rows = await this.#db
      .selectFrom('connectors')
      .selectAll()
      .where('customerId', '=', customerId)
      .orderBy('nameKey')
      .execute();
    return rows.map(toRecord);
  }

  async ofLocation(locationId: string): Promise<ConnectorRecord[]> {
    const rows = await this.#db
      .selectFrom('connectors')
      .selectAll()
      .where('locationId', '=', locationId)
      .orderBy('nameKey')
      .execute();
    return rows.map(toRecord);
  }

  /** What a connector says of itself, and the generation that its welcome issues. */
  async welcomed(
    id: string,
    said: {
      generation: number;
      pendingGeneration: number;
      version: string;
      platforms: Platform[];
      slots: number;
      at: string;
    },
  ): Promise<void> {
    const { platforms, at, ...plain } = said;
    await this.#db
      .updateTable('connectors')
      .set({ ...plain, platforms: JSON.stringify(platforms), trustNext: 0, lastSeenAt: at })
      .where('id', '=', id)
      .execute();
  }

  /** The appliance has this generation on its disk. An acknowledgement of another than the last issued is ignored. */
  async acknowledgeGeneration(id: string, generation: number): Promise<void> {
    await this.#db
      .updateTable('connectors')
      .set({ generation, pendingGeneration: null })
      .where('id', '=', id)
      .where('pendingGeneration', '=', generation)
      .execute();
  }

  async setStanding(id: string, standing: ConnectorStanding, trustNext: boolean): Promise<void> {
    await this.#db
      .updateTable('connectors')
      .set({ standing, trustNext: Number(trustNext) })
      .where('id', '=', id)
      .execute();
  }

  async seen(id: string, at: string): Promise<void> {
    await this.#db.updateTable('connectors').set({ lastSeenAt: at }).where('id', '=', id).execute();
  }

  async remove(id: string): Promise<void> {
    await this.#db.deleteFrom('connectors').where('id', '=', id).execute();
  }
}

function toRecord(row: Row): ConnectorRecord {
  const { nameKey: _nameKey, ...plain } = row;
  return {
    ...plain,
    platforms: JSON.parse(row.platforms),
    pendingGeneration: row.pendingGeneration ?? undefined,
    trustNext: row.trustNext === 1,
  };
}
