/**
 * Pairing codes, both ways: issued by an operator (`codes`) or shown by an appliance (`claims`). Of the
 * former, which open the door by themselves, only keyed hashes are stored. Using one is a single UPDATE that only the
 * first caller wins.
 */
import type { Kysely, Selectable } from 'kysely';
import type { Appliance } from '../../protocol/rest.ts';
import type { Database } from './schema.ts';

export type PairingCodeRecord = Selectable<Database['pairingCodes']>;
export interface PairingClaimRecord extends Omit<Selectable<Database['pairingClaims']>, 'appliance'> {
  appliance: Appliance;
}

export class Pairing {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async addCode(code: Omit<PairingCodeRecord, 'usedAt' | 'connectorId'>): Promise<void> {
    await this.#db.insertInto('pairingCodes').values(code).execute();
  }

  async code(codeHash: string): Promise<PairingCodeRecord | undefined> {
    return await this.#db.selectFrom('pairingCodes').selectAll().where('codeHash', '=', codeHash).executeTakeFirst();
  }

  /** @returns whether this call used it: false when somebody was first */
  async useCode(id: string, connectorId: string, at: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('pairingCodes')
      .set({ usedAt: at, connectorId })
      .where('id', '=', id)
      .where('usedAt', 'is', null)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  }

  async addClaim(claim: Omit<PairingClaimRecord, 'confirmedAt' | 'connectorId'>): Promise<void> {
    await this.#db
      .insertInto('pairingClaims')
      .values({ ...claim, appliance: JSON.stringify(claim.appliance) })
      .execute();
  }

  async claim(by: { id: string } | { code: string }): Promise<PairingClaimRecord | undefined> {
    const query = this.#db.selectFrom('pairingClaims').selectAll();
    const row = await ('id' in by
      ? query.where('id', '=', by.id)
      : query.where('code', '=', by.code)
    ).executeTakeFirst();
    return row ? { ...row, appliance: JSON.parse(row.appliance) } : undefined;
  }

  /** @returns whether this call confirmed it */
  async confirmClaim(id: string, connectorId: string, at: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('pairingClaims')
      .set({ confirmedAt: at, connectorId })
      .where('id', '=', id)
      .where('confirmedAt', 'is', null)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  }

  /** Claims that wait for an operator, oldest first. */
  async pending(nowMs: number): Promise<PairingClaimRecord[]> {
    const rows = await this.#db
      .selectFrom('pairingClaims')
      .selectAll()
      .where('confirmedAt', 'is', null)
      .where('expiresMs', '>', nowMs)
      .orderBy('expiresMs')
      .execute();
    return rows.map((row) => ({ ...row, appliance: JSON.parse(row.appliance) }));
  }

  /** Drops what expired before `beforeMs`: until then a late caller is told "expired" or "used", not "unknown". */
  async removeExpired(beforeMs: number): Promise<void> {
    await this.#db.deleteFrom('pairingCodes').where('expiresMs', '<', beforeMs).execute();
    await this.#db.deleteFrom('pairingClaims').where('expiresMs', '<', beforeMs).execute();
  }
}
