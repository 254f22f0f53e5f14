/**
 * The schema's history, in code and append-only: a release never edits a migration that was shipped. Only what every
 * SQL dialect of kysely has is used here.
 */
import type { Kysely, Migration, MigrationProvider } from 'kysely';

type Schema = Kysely<unknown>['schema'];

async function createIdentity(schema: Schema): Promise<void> {
  await schema
    .createTable('meta')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('value', 'text', (c) => c.notNull())
    .execute();
  await schema
    .createTable('customers')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('createdAt', 'text', (c) => c.notNull())
    .execute();
  await schema
    .createTable('apiTokens')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('customerId', 'text', (c) => c.notNull().references('customers.id'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('role', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull().unique())
    .addColumn('createdAt', 'text', (c) => c.notNull())
    .addColumn('lastUsedAt', 'text')
    .execute();
  await schema
    .createTable('audit')
    .addColumn('customerId', 'text', (c) => c.notNull().references('customers.id'))
    .addColumn('id', 'bigint', (c) => c.notNull())
    .addColumn('at', 'text', (c) => c.notNull())
    .addColumn('actor', 'text', (c) => c.notNull())
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('detail', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('audit_key', ['customerId', 'id'])
    .execute();
}

async function createPlaces(schema: Schema): Promise<void> {
  await schema
    .createTable('resourceLocations')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('customerId', 'text', (c) => c.notNull().references('customers.id'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('nameKey', 'text', (c) => c.notNull())
    .addColumn('createdAt', 'text', (c) => c.notNull())
    .addUniqueConstraint('location_name', ['customerId', 'nameKey'])
    .execute();
  await schema
    .createTable('pairingCodes')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('customerId', 'text', (c) => c.notNull().references('customers.id'))
    .addColumn('locationId', 'text', (c) => c.notNull())
    .addColumn('codeHash', 'text', (c) => c.notNull().unique())
    .addColumn('createdBy', 'text', (c) => c.notNull())
    .addColumn('expiresMs', 'bigint', (c) => c.notNull())
    .addColumn('usedAt', 'text')
    .addColumn('connectorId', 'text')
    .execute();
  await schema
    .createTable('pairingClaims')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('code', 'text', (c) => c.notNull().unique())
    .addColumn('appliance', 'text', (c) => c.notNull())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('expiresMs', 'bigint', (c) => c.notNull())
    .addColumn('confirmedAt', 'text')
    .addColumn('connectorId', 'text')
    .execute();
  await schema
    .createTable('connectors')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('customerId', 'text', (c) => c.notNull().references('customers.id'))
    .addColumn('locationId', 'text', (c) => c.notNull().references('resourceLocations.id'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('nameKey', 'text', (c) => c.notNull())
    .addColumn('signKey', 'text', (c) => c.notNull())
    .addColumn('sealKey', 'text', (c) => c.notNull())
    .addColumn('version', 'text', (c) => c.notNull())
    .addColumn('platforms', 'text', (c) => c.notNull())
    .addColumn('slots', 'integer', (c) => c.notNull())
    .addColumn('standing', 'text', (c) => c.notNull())
    .addColumn('generation', 'bigint', (c) => c.notNull())
    .addColumn('pendingGeneration', 'bigint')
    .addColumn('trustNext', 'integer', (c) => c.notNull())
    .addColumn('pairedAt', 'text', (c) => c.notNull())
    .addColumn('lastSeenAt', 'text')
    .addUniqueConstraint('connector_name', ['customerId', 'nameKey'])
    .execute();
  await schema
    .createTable('credentials')
    .addColumn('customerId', 'text', (c) => c.notNull().references('customers.id'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('allowedTargets', 'text', (c) => c.notNull())
    .addColumn('locked', 'text')
    .addColumn('createdAt', 'text', (c) => c.notNull())
    .addColumn('updatedAt', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('credential_key', ['customerId', 'name'])
    .execute();
}

async function createJobs(schema: Schema): Promise<void> {
  await schema
    .createTable('jobs')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('customerId', 'text', (c) => c.notNull().references('customers.id'))
    .addColumn('locationId', 'text', (c) => c.notNull().references('resourceLocations.id'))
    .addColumn('platform', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('step', 'text', (c) => c.notNull())
    .addColumn('cancelRequested', 'integer', (c) => c.notNull())
    .addColumn('parameters', 'text', (c) => c.notNull())
    .addColumn('limits', 'text', (c) => c.notNull())
    .addColumn('note', 'text')
    .addColumn('findings', 'text', (c) => c.notNull())
    .addColumn('result', 'text')
    .addColumn('error', 'text')
    .addColumn('connectorId', 'text')
    .addColumn('connectorName', 'text')
    .addColumn('token', 'text')
    .addColumn('lastToken', 'text')
    .addColumn('offerConnectorId', 'text')
    .addColumn('offerToken', 'text')
    .addColumn('lastEventId', 'integer', (c) => c.notNull())
    .addColumn('createdBy', 'text', (c) => c.notNull())
    .addColumn('createdAt', 'text', (c) => c.notNull())
    .addColumn('queuedAt', 'text', (c) => c.notNull())
    .addColumn('startedAt', 'text')
    .addColumn('endedAt', 'text')
    .execute();
  await schema.createIndex('jobs_by_customer').on('jobs').columns(['customerId', 'createdAt']).execute();
  await schema.createIndex('jobs_by_state').on('jobs').columns(['state', 'createdAt']).execute();
  await schema.createIndex('jobs_by_connector').on('jobs').columns(['connectorId', 'state']).execute();
  await schema
    .createTable('bearers')
    .addColumn('jobId', 'text', (c) => c.notNull().references('jobs.id'))
    .addColumn('token', 'text', (c) => c.notNull())
    .addColumn('connectorId', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('bearer_key', ['jobId', 'token'])
    .execute();
  await schema
    .createTable('liveTargets')
    .addColumn('customerId', 'text', (c) => c.notNull())
    .addColumn('targetKey', 'text', (c) => c.notNull())
    .addColumn('jobId', 'text', (c) => c.notNull().unique().references('jobs.id'))
    .addPrimaryKeyConstraint('live_target_key', ['customerId', 'targetKey'])
    .execute();
  await schema
    .createTable('declines')
    .addColumn('jobId', 'text', (c) => c.notNull().references('jobs.id'))
    .addColumn('connectorId', 'text', (c) => c.notNull())
    .addColumn('error', 'text', (c) => c.notNull())
    .addColumn('at', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('decline_key', ['jobId', 'connectorId'])
    .execute();
  await schema
    .createTable('idempotencyKeys')
    .addColumn('customerId', 'text', (c) => c.notNull())
    .addColumn('key', 'text', (c) => c.notNull())
    .addColumn('requestHash', 'text', (c) => c.notNull())
    .addColumn('jobId', 'text', (c) => c.notNull())
    .addColumn('answer', 'text', (c) => c.notNull())
    .addColumn('createdMs', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('idempotency_key', ['customerId', 'key'])
    .execute();
}

async function createHistory(schema: Schema): Promise<void> {
  await schema
    .createTable('jobEvents')
    .addColumn('jobId', 'text', (c) => c.notNull().references('jobs.id'))
    .addColumn('id', 'integer', (c) => c.notNull())
    .addColumn('token', 'text', (c) => c.notNull())
    .addColumn('seq', 'integer', (c) => c.notNull())
    .addColumn('at', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .addColumn('connectorId', 'text')
    .addPrimaryKeyConstraint('job_event_key', ['jobId', 'id'])
    .addUniqueConstraint('job_event_once', ['jobId', 'token', 'seq'])
    .execute();
  await schema
    .createTable('ledgerRows')
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('jobId', 'text', (c) => c.notNull().references('jobs.id'))
    .addColumn('connectorId', 'text', (c) => c.notNull())
    .addColumn('token', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('platformId', 'text')
    .addColumn('tags', 'text', (c) => c.notNull())
    .addColumn('removeWith', 'text')
    .addColumn('position', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('ledger_row_key', ['jobId', 'id'])
    .execute();
}

const MIGRATIONS: Record<string, Migration> = {
  '001-first': {
    up: async ({ schema }) => {
      await createIdentity(schema);
      await createPlaces(schema);
      await createJobs(schema);
      await createHistory(schema);
    },
  },
};

export const migrations: MigrationProvider = { getMigrations: async () => MIGRATIONS };
