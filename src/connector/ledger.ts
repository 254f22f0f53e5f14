/**
 * The ledger of one job and token: intent → made → gone. A row is durable before the call that makes the thing, and
 * each change is told to the cloud in the same transaction, so that the cloud can list what is left if this connector
 * never comes back.
 */
import type { Ledger } from '../../providers/contract.ts';
import { TAGS } from '../../providers/contract.ts';
import type { Doors } from '../lib/doors.ts';
import { newId } from '../lib/ids.ts';
import type { RandomSource } from '../lib/random.ts';
import type { LedgerRow } from '../protocol/event.ts';
import type { Token } from '../protocol/token.ts';
import type { Journal } from './journal.ts';

export class JobLedger implements Ledger {
  readonly #journal: Journal;
  readonly #doors: Doors;
  readonly #random: RandomSource;
  readonly #jobId: string;
  readonly #token: Token;
  readonly #connectorId: string;

  constructor(
    tools: { journal: Journal; doors: Doors; random: RandomSource },
    job: { jobId: string; token: Token; connectorId: string },
  ) {
    this.#journal = tools.journal;
    this.#doors = tools.doors;
    this.#random = tools.random;
    this.#jobId = job.jobId;
    this.#token = job.token;
    this.#connectorId = job.connectorId;
  }

  intent(kind: string, name: string, details: { removeWith?: string } = {}): LedgerRow {
    const known = this.open().find((row) => row.kind === kind && row.name === name);
    if (known) return known;
    const row: LedgerRow = {
      id: newId('row', this.#random),
      kind,
      name,
      state: 'intent',
      tags: { [TAGS.job]: this.#jobId, [TAGS.token]: this.#token, [TAGS.connector]: this.#connectorId },
      ...(details.removeWith === undefined ? {} : { removeWith: details.removeWith }),
    };
    this.#write(`intent.${kind}`, row, () => {
      this.#journal.database
        .prepare(
          `INSERT INTO ledger (id, position, job_id, token, kind, name, state, tags, remove_with)
           SELECT ?, coalesce(max(position), 0) + 1, ?, ?, ?, ?, 'intent', ?, ? FROM ledger WHERE job_id = ? AND token = ?`,
        )
        .run(
          row.id,
          this.#jobId,
          this.#token,
          kind,
          name,
          JSON.stringify(row.tags),
          row.removeWith ?? null,
          this.#jobId,
          this.#token,
        );
    });
    return row;
  }

  made(row: LedgerRow, platformId: string): void {
    this.#write(`made.${row.kind}`, { ...row, state: 'made', platformId }, () => {
      this.#journal.database
        .prepare("UPDATE ledger SET state = 'made', platform_id = ? WHERE id = ?")
        .run(platformId, row.id);
    });
  }

  gone(row: LedgerRow): void {
    this.#write(`gone.${row.kind}`, { ...row, state: 'gone' }, () => {
      this.#journal.database.prepare("UPDATE ledger SET state = 'gone' WHERE id = ?").run(row.id);
    });
  }

  open(): LedgerRow[] {
    return this.#journal.database
      .prepare("SELECT * FROM ledger WHERE job_id = ? AND token = ? AND state <> 'gone' ORDER BY position")
      .all(this.#jobId, this.#token)
      .map((row) => ({
        id: String(row.id),
        kind: String(row.kind),
        name: String(row.name),
        state: row.state === 'made' ? 'made' : 'intent',
        tags: JSON.parse(String(row.tags)),
        ...(row.platform_id === null ? {} : { platformId: String(row.platform_id) }),
        ...(row.remove_with === null ? {} : { removeWith: String(row.remove_with) }),
      }));
  }

  #write(point: string, row: LedgerRow, change: () => void): void {
    this.#doors.passSync('ledger', point, () =>
      this.#journal.transaction(`ledger.${point}`, () => {
        change();
        this.#journal.append(this.#jobId, this.#token, { kind: 'ledger', row });
      }),
    );
  }
}
