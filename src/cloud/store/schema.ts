/**
 * The tables as kysely sees them. Portable by rule: times are ISO text for people or whole milliseconds for arithmetic,
 * booleans are 0 or 1, structured values are JSON text. Column names are snake_case in the database.
 */
import type { LedgerRow } from '../../protocol/event.ts';
import type { JobState, Platform, Step } from '../../protocol/job.ts';
import type { Role } from '../../protocol/rest.ts';

/** What an operator or the cloud thinks of a connector; whether it is connected is known to the hub only. */
export type ConnectorStanding = 'trusted' | 'cloned' | 'lost';

export interface Database {
  meta: { name: string; value: string };
  customers: { id: string; name: string; createdAt: string };
  apiTokens: {
    id: string;
    customerId: string;
    name: string;
    role: Role;
    hash: string;
    createdAt: string;
    lastUsedAt: string | null;
  };
  resourceLocations: { id: string; customerId: string; name: string; nameKey: string; createdAt: string };
  pairingCodes: {
    id: string;
    customerId: string;
    locationId: string;
    codeHash: string;
    createdBy: string;
    expiresMs: number;
    usedAt: string | null;
    connectorId: string | null;
  };
  pairingClaims: {
    id: string;
    code: string;
    appliance: string;
    source: string;
    expiresMs: number;
    confirmedAt: string | null;
    connectorId: string | null;
  };
  connectors: {
    id: string;
    customerId: string;
    locationId: string;
    name: string;
    nameKey: string;
    signKey: string;
    sealKey: string;
    version: string;
    platforms: string;
    slots: number;
    standing: ConnectorStanding;
    generation: number;
    pendingGeneration: number | null;
    trustNext: number;
    pairedAt: string;
    lastSeenAt: string | null;
  };
  credentials: {
    customerId: string;
    name: string;
    version: number;
    type: string;
    allowedTargets: string;
    /** Null once deleted: the row stays, so that a version number never comes twice. */
    locked: string | null;
    createdAt: string;
    updatedAt: string;
  };
  jobs: {
    id: string;
    customerId: string;
    locationId: string;
    platform: Platform;
    state: JobState;
    step: Step;
    cancelRequested: number;
    parameters: string;
    limits: string;
    note: string | null;
    findings: string;
    result: string | null;
    error: string | null;
    connectorId: string | null;
    connectorName: string | null;
    token: string | null;
    lastToken: string | null;
    offerConnectorId: string | null;
    offerToken: string | null;
    lastEventId: number;
    createdBy: string;
    createdAt: string;
    queuedAt: string;
    startedAt: string | null;
    endedAt: string | null;
  };
  bearers: { jobId: string; token: string; connectorId: string };
  liveTargets: { customerId: string; targetKey: string; jobId: string };
  declines: { jobId: string; connectorId: string; error: string; at: string };
  idempotencyKeys: {
    customerId: string;
    key: string;
    requestHash: string;
    jobId: string;
    answer: string;
    createdMs: number;
  };
  jobEvents: {
    jobId: string;
    id: number;
    token: string;
    seq: number;
    at: string;
    kind: string;
    body: string;
    connectorId: string | null;
  };
  ledgerRows: {
    id: string;
    jobId: string;
    connectorId: string;
    token: string;
    kind: string;
    name: string;
    state: LedgerRow['state'];
    platformId: string | null;
    tags: string;
    removeWith: string | null;
    position: number;
  };
  audit: {
    customerId: string;
    id: number;
    at: string;
    actor: string;
    action: string;
    subject: string;
    detail: string;
  };
}
