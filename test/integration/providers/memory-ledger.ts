/** A ledger in memory with the meaning of the real one, which can be told to fail as a full disk would. */
import type { Ledger } from '../../../providers/contract.ts';
import type { LedgerRow } from '../../../src/protocol/event.ts';

export class MemoryLedger implements Ledger {
  readonly rows: LedgerRow[] = [];
  /** Called before each change; throwing prevents it. */
  interfere: (change: 'intent' | 'made' | 'gone', kind: string) => void = () => undefined;

  intent(kind: string, name: string, details: { removeWith?: string } = {}): LedgerRow {
    const known = this.open().find((row) => row.kind === kind && row.name === name);
    if (known) return known;
    this.interfere('intent', kind);
    const row: LedgerRow = { id: `row-${this.rows.length + 1}`, kind, name, state: 'intent', tags: {}, ...details };
    this.rows.push(row);
    return { ...row };
  }

  made(row: LedgerRow, platformId: string): void {
    this.interfere('made', row.kind);
    this.#change(row, { state: 'made', platformId });
  }

  gone(row: LedgerRow): void {
    this.interfere('gone', row.kind);
    this.#change(row, { state: 'gone' });
  }

  open(): LedgerRow[] {
    return this.rows.filter(({ state }) => state !== 'gone').map((row) => ({ ...row }));
  }

  #change(row: LedgerRow, change: Partial<LedgerRow>): void {
    const own = this.rows.find(({ id }) => id === row.id);
    if (!own) throw new Error(`no row ${row.id}`);
    Object.assign(own, change);
  }
}
