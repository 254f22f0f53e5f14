/**
 * The REST contract under `/v1`: what is sent and what comes back. One set of schemas for validation, for the OpenAPI
 * page and for the client. What people send is taken as it is meant or not at all: no unknown word is passed over.
 */
import { z } from 'zod';
import { jobEventSchema, ledgerRowSchema } from './event.ts';
import { findingSchema } from './finding.ts';
import {
  credentialNameSchema,
  errorReportSchema,
  jobParametersSchema,
  jobResultSchema,
  jobStateSchema,
  limitsSchema,
  platformSchema,
  progressSchema,
  stepSchema,
} from './job.ts';
import { usernamePasswordSchema } from './sealed.ts';
import { allowedTargetSchema } from './targets.ts';
import { plainLineSchema, versionSchema } from './text.ts';
import { tokenSchema } from './token.ts';

/** RFC 9457, with our stable code, hint and the particulars that a code defines. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  code: z.string(),
  hint: z.string(),
  /** `TARGET_BUSY`: the other job. */
  jobId: z.string().optional(),
});
export type Problem = z.infer<typeof problemSchema>;

export const nameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,61}[A-Za-z0-9])?$/,
    'letters, digits, space, dot, underscore, hyphen; at most 63',
  );

export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];
export const roleSchema = z.enum(ROLES);

// API tokens
export const createApiTokenSchema = z.strictObject({ name: nameSchema, role: roleSchema });
export const apiTokenViewSchema = z.object({
  id: z.string(),
  name: z.string(),
  role: roleSchema,
  createdAt: z.string(),
  lastUsedAt: z.string().optional(),
});
export const createdApiTokenSchema = apiTokenViewSchema.extend({
  token: z.string().describe('shown once, stored only as a hash'),
});

// Resource locations
export const createResourceLocationSchema = z.strictObject({ name: nameSchema });
export const resourceLocationViewSchema = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: z.string(),
  connectors: z.int(),
});

// Pairing
export const pairingCodeTextSchema = z
  .string()
  .transform((text) => text.toUpperCase().replace(/[\s-]/g, ''))
  .pipe(z.string().regex(/^[ABCDEFGHJKMNPQRSTVWXYZ23456789]{8}$/, 'a pairing code is XXXX-XXXX'));
export const createPairingCodeSchema = z.strictObject({ resourceLocation: z.string() });
export const createdPairingCodeSchema = z.object({
  code: z.string(),
  expiresAt: z.string(),
  resourceLocation: z.string(),
});
export const pendingPairingSchema = z.object({
  code: z.string(),
  applianceName: z.string(),
  fingerprint: z.string().describe('of the appliance key: compare it with the one the appliance shows'),
  expiresAt: z.string(),
});
export const confirmPairingSchema = z.strictObject({
  resourceLocation: z.string(),
  fingerprint: z.string().optional(),
});

/** Raw public key, base64url, 32 bytes. */
const publicKeySchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
export const applianceSchema = z.object({
  name: nameSchema,
  signKey: publicKeySchema.describe('Ed25519'),
  sealKey: publicKeySchema.describe('X25519'),
  version: versionSchema,
});
export type Appliance = z.infer<typeof applianceSchema>;
/** `signature`: Ed25519 over `pairingProofText`, to prove that the keys are the caller's. */
export const redeemPairingSchema = applianceSchema.extend({ code: z.string().max(32), signature: z.string().max(128) });
export const claimPairingSchema = applianceSchema.extend({ signature: z.string().max(128) });
export const claimedPairingSchema = z.object({ claimId: z.string(), code: z.string(), expiresAt: z.string() });
export const pairedSchema = z.object({
  connectorId: z.string(),
  connectorName: z.string(),
  customerId: z.string(),
  resourceLocation: z.string(),
  /** The generation to present first. */
  generation: z.int(),
});
export type Paired = z.infer<typeof pairedSchema>;
export const claimStateSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('pending') }),
  z.object({ state: z.literal('paired'), paired: pairedSchema }),
]);

/** What an appliance signs when it pairs. `code` is empty when the appliance asks for a code. */
export function pairingProofText(appliance: Appliance, code: string): string {
  return ['ips.pairing.v1', code, appliance.name, appliance.signKey, appliance.sealKey, appliance.version].join('\n');
}

// Connectors
export const connectorViewSchema = z.object({
  id: z.string(),
  name: z.string(),
  resourceLocation: z.string(),
  state: z.enum(['connected', 'disconnected', 'cloned', 'lost']),
  version: z.string(),
  platforms: z.array(platformSchema),
  slots: z.int(),
  runningJobs: z.int(),
  fingerprint: z.string(),
  pairedAt: z.string(),
  lastSeenAt: z.string().optional(),
});

// Credentials
export const putCredentialSchema = z.strictObject({
  secret: z.discriminatedUnion('type', [usernamePasswordSchema]),
  allowedTargets: z.array(allowedTargetSchema).min(1).max(100),
});
export const credentialViewSchema = z.object({
  name: credentialNameSchema,
  type: z.string(),
  version: z.int(),
  allowedTargets: z.array(z.string()),
  createdAt: z.string(),
  updatedAt: z.string(),
});

// Jobs
export const createJobSchema = z.strictObject({
  resourceLocation: z.string().describe('name or id'),
  parameters: jobParametersSchema,
  limits: limitsSchema.prefault({}),
  /** Free text for people. */
  note: plainLineSchema.max(200).optional(),
});
export type CreateJob = z.input<typeof createJobSchema>;

export const jobViewSchema = z.object({
  id: z.string(),
  state: jobStateSchema,
  step: stepSchema,
  overallProgressPercent: z.int(),
  progress: progressSchema.optional(),
  cancelRequested: z.boolean(),
  resourceLocation: z.string(),
  connector: z.string().optional(),
  token: tokenSchema.optional(),
  parameters: jobParametersSchema,
  limits: limitsSchema,
  note: z.string().optional(),
  findings: z.array(findingSchema),
  result: jobResultSchema.optional(),
  error: errorReportSchema.optional(),
  /** Resources that the ledger still holds: what is left to remove. */
  openLedger: z.array(ledgerRowSchema),
  createdBy: z.string(),
  createdAt: z.string(),
  startedAt: z.string().optional(),
  endedAt: z.string().optional(),
  /** While queued: why nobody has taken it yet. */
  waitingFor: z.string().optional(),
});
export type JobView = z.infer<typeof jobViewSchema>;

/** A job's event as readers get it: `id` is the cloud's own sequence within the job, the SSE event id. */
export const jobEventViewSchema = jobEventSchema.extend({
  id: z.int(),
  connector: z.string().optional().describe('its name; its id when it was removed'),
});
export type JobEventView = z.infer<typeof jobEventViewSchema>;

export const logLineSchema = z.object({
  at: z.string(),
  level: z.enum(['info', 'warn', 'error']),
  message: z.string(),
});
export type LogLine = z.infer<typeof logLineSchema>;

// Audit
export const auditRowSchema = z.object({
  id: z.int(),
  at: z.string(),
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  detail: z.record(z.string(), z.unknown()),
});

// Status
export const statusViewSchema = z.object({
  version: z.string(),
  customer: z.string(),
  role: roleSchema,
  connectors: z.object({ connected: z.int(), total: z.int() }),
  jobs: z.record(jobStateSchema, z.int()),
});
