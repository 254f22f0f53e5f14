/** The cloud's copy of the connectors' ledgers: what exists because of a job, as far as it was told. */
import type { Kysely, Selectable } from 'kysely';
import type { LedgerRow } from '../../protocol/event.ts';
import type { Database } from './schema.ts';

/** A ledger row and whose it is. */
export interface LedgerRecord {
  connectorId: string;
  token: string;
  row: LedgerRow;
}

export class LedgerRows {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  /** Takes over a row's newest state. A row that is gone stays gone. */
  async put(jobId: string, connectorId: string, token: string, row: LedgerRow, position: number): Promise<void> {
    const values = {
      id: row.id,
      jobId,
      connectorId,
      token,
      kind: row.kind,
      name: row.name,
      state: row.state,
      platformId: row.platformId ?? null,
      tags: JSON.stringify(row.tags),
      removeWith: row.removeWith ?? null,
      position,
    };
    const { state, platformId, removeWith } = values;
    await this.#db
      .insertInto('ledgerRows')
      .values(values)
      .onConflict((conflict) =>
        conflict
          .columns(['jobId', 'id'])
          .doUpdateSet({ state, platformId, removeWith })
          .where('ledgerRows.state', '<>', 'gone')
          .where('ledgerRows.connectorId', '=', connectorId),
      )
      .execute();
  }

  /** Rows of a job that are not gone, oldest first. */
  async open(jobId: string): Promise<LedgerRecord[]> {
    const rows = await this.#db
      .selectFrom('ledgerRows')
      .selectAll()
      .where('jobId', '=', jobId)
      .where('state', '<>', 'gone')
      .orderBy('position')
      .execute();
    return rows.map(toRecord);
  }

  /** Whether anything that this connector made is still there. */
  async anyOpenOf(connectorId: string): Promise<boolean> {
    const row = await this.#db
      .selectFrom('ledgerRows')
      .select('id')
      .where('connectorId', '=', connectorId)
      .where('state', '<>', 'gone')
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }
}

function toRecord(row: Selectable<Database['ledgerRows']>): LedgerRecord {
  return {
    connectorId: row.connectorId,
    token: row.token,
    row: {
      id: row.id,
      kind: row.kind,
      name: row.name,
      state: row.state,
      tags: JSON.parse(row.tags),
      ...(row.platformId === null ? {} : { platformId: row.platformId }),
      ...(row.removeWith === null ? {} : { removeWith: row.removeWith }),
    },
  };
}
