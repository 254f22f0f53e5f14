/** The audit log: append-only, numbered within a customer. It never holds a secret. */
import type { Kysely } from 'kysely';
import type { Database } from './schema.ts';

export interface AuditEntry {
  customerId: string;
  /** Who: `token:<name>`, `connector:<name>` or `cloud`. */
  actor: string;
  /** What, as `noun.verb`. */
  action: string;
  /** To what: an id or a name. */
  subject: string;
  detail?: Record<string, unknown>;
}

export interface AuditRecord extends Required<AuditEntry> {
  id: number;
  at: string;
}

export class Audit {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async add(entry: AuditEntry, at: string): Promise<void> {
    const last = await this.#db
      .selectFrom('audit')
      .select(({ fn }) => fn.max('id').as('id'))
      .where('customerId', '=', entry.customerId)
      .executeTakeFirst();
    await this.#db
      .insertInto('audit')
      .values({ ...entry, detail: JSON.stringify(entry.detail ?? {}), at, id: Number(last?.id ?? 0) + 1 })
      .execute();
  }

  /** Newest first. @param before only rows with a smaller id */
  async list(customerId: string, limit: number, before?: number): Promise<AuditRecord[]> {
    const rows = await this.#db
      .selectFrom('audit')
      .selectAll()
      .where('customerId', '=', customerId)
      .$if(before !== undefined, (query) => query.where('id', '<', before ?? 0))
      .orderBy('id', 'desc')
      .limit(limit)
      .execute();
    return rows.map((row) => ({ ...row, detail: JSON.parse(row.detail) }));
  }
}
