/**
 * Everything durable, behind one interface that is split by noun. Reads go to the nouns directly; every change goes
 * through `change`, which is one transaction and one passage of the journal door. Inside `change` only the nouns it is
 * given may be used: SQLite has one connection, and the outer nouns would wait for it for ever.
 */
import { CamelCasePlugin, type Dialect, Kysely, Migrator } from 'kysely';
import type { Doors } from '../../lib/doors.ts';
import { ApiTokens } from './api-tokens.ts';
import { Audit } from './audit.ts';
import { Bearers } from './bearers.ts';
import { Connectors } from './connectors.ts';
import { Credentials } from './credentials.ts';
import { Events } from './events.ts';
import { Jobs } from './jobs.ts';
import { LedgerRows } from './ledger-rows.ts';
import { Locations } from './locations.ts';
import { Meta } from './meta.ts';
import { migrations } from './migrations.ts';
import { Pairing } from './pairing.ts';
import type { Database } from './schema.ts';
import { Transitions } from './transitions.ts';

export interface Nouns {
  readonly meta: Meta;
  readonly apiTokens: ApiTokens;
  readonly locations: Locations;
  readonly pairing: Pairing;
  readonly connectors: Connectors;
  readonly credentials: Credentials;
  readonly jobs: Jobs;
  readonly transitions: Transitions;
  readonly bearers: Bearers;
  readonly events: Events;
  readonly ledger: LedgerRows;
  readonly audit: Audit;
}

export interface Store extends Nouns {
  /**
   * Runs `work` as one durable transaction; what it throws undoes all of it.
   * @param what names the change at the journal door, as `cloud.<what>`
   */
  change<T>(what: string, work: (nouns: Nouns) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Opens the store and brings its schema up to date.
 * @throws Error when a migration fails, or the database was written by a newer release
 */
export async function openStore(dialect: Dialect, doors: Doors): Promise<Store> {
  const db = new Kysely<Database>({ dialect, plugins: [new CamelCasePlugin()] });
  const { error } = await new Migrator({ db, provider: migrations }).migrateToLatest();
  if (error) {
    await db.destroy();
    throw error instanceof Error ? error : new Error('the migration of the database failed', { cause: error });
  }
  return {
    ...nounsOn(db),
    change: (what, work) =>
      doors.pass('journal', `cloud.${what}`, () => db.transaction().execute((tx) => work(nounsOn(tx)))),
    close: () => db.destroy(),
  };
}

function nounsOn(db: Kysely<Database>): Nouns {
  return {
    meta: new Meta(db),
    apiTokens: new ApiTokens(db),
    locations: new Locations(db),
    pairing: new Pairing(db),
    connectors: new Connectors(db),
    credentials: new Credentials(db),
    jobs: new Jobs(db),
    transitions: new Transitions(db),
    bearers: new Bearers(db),
    events: new Events(db),
    ledger: new LedgerRows(db),
    audit: new Audit(db),
  };
}
