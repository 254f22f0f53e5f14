/**
 * The link: messages between connector and cloud over one WebSocket, subprotocol `ips.link.v1`, JSON text frames.
 * The connector speaks first. docs/link.md tells the order of things; this file only the words.
 */
import { z } from 'zod';
import { jobEventSchema } from './event.ts';
import { errorReportSchema, jobParametersSchema, limitsSchema, platformSchema, progressSchema } from './job.ts';
import { HELD_STATES, SETTLE_ACTIONS } from './reconciliation.ts';
import { sealedSchema } from './sealed.ts';
import { versionSchema } from './text.ts';
import { tokenSchema } from './token.ts';

export const LINK_SUBPROTOCOL = 'ips.link.v1';
export const LINK_PATH = '/v1/link';

/** Largest frame either side takes, in bytes. */
export const LINK_MAX_FRAME_BYTES = 1024 * 1024;

/** Each side pings at this pace; a peer that was silent for `LINK_DEAD_AFTER_MS` is dead. Milliseconds. */
export const LINK_PING_MS = 15_000;
export const LINK_DEAD_AFTER_MS = 40_000;

const ref = { jobId: z.string(), token: tokenSchema };

export const heldJobSchema = z.object({ ...ref, state: z.enum(HELD_STATES) });
export type HeldJob = z.infer<typeof heldJobSchema>;

/** What a credential is opened for. `teardown` is granted to the connector that made what is to be removed. */
export const credentialPurposeSchema = z.enum(['run', 'teardown']);
export type CredentialPurpose = z.infer<typeof credentialPurposeSchema>;

export const credentialEnvelopeSchema = z.object({
  name: z.string(),
  version: z.int().min(1),
  allowedTargets: z.array(z.string()),
  sealed: sealedSchema,
});
export type CredentialEnvelope = z.infer<typeof credentialEnvelopeSchema>;

export const toCloudSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    connectorId: z.string(),
    /** Random, new for each process of the daemon. */
    instanceId: z.string().max(64),
    /** The generation that the appliance has on disk; see "Who is calling". */
    generation: z.int().min(0),
    version: versionSchema,
    platforms: z.array(platformSchema),
    slots: z.int().min(0),
    jobs: z.array(heldJobSchema),
  }),
  z.object({ type: z.literal('proof'), signature: z.string() }),
  z.object({ type: z.literal('generationStored'), generation: z.int() }),
  z.object({
    type: z.literal('offerAnswer'),
    ...ref,
    accepted: z.boolean(),
    reason: errorReportSchema.optional(),
  }),
  z.object({ type: z.literal('renew'), n: z.int(), leases: z.array(z.object(ref)) }),
  z.object({
    type: z.literal('credentialsRequest'),
    requestId: z.string(),
    ...ref,
    purpose: credentialPurposeSchema,
  }),
  z.object({ type: z.literal('commitRequest'), requestId: z.string(), ...ref }),
  z.object({ type: z.literal('events'), events: z.array(jobEventSchema).max(500) }),
  z.object({ type: z.literal('progress'), ...ref, progress: progressSchema }),
]);
export type ToCloud = z.infer<typeof toCloudSchema>;

export const toConnectorSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('challenge'), nonce: z.string() }),
  z.object({ type: z.literal('refused'), error: errorReportSchema }),
  z.object({
    type: z.literal('welcome'),
    /** The next generation: sync it to disk, then acknowledge with `generationStored`. */
    generation: z.int(),
    leaseTtlMs: z.int(),
    /** SPKI pins of the cloud, current and announced; a connector that pins stores them if the current one is among them. */
    pins: z.array(z.string()),
    /** What the cloud believes that this connector holds. */
    jobs: z.array(z.object(ref)),
  }),
  z.object({ type: z.literal('settle'), ...ref, action: z.enum(SETTLE_ACTIONS) }),
  z.object({ type: z.literal('offer'), ...ref, parameters: jobParametersSchema, limits: limitsSchema }),
  z.object({ type: z.literal('cancel'), ...ref }),
  z.object({ type: z.literal('renewed'), n: z.int(), refused: z.array(z.object(ref)) }),
  z.object({
    type: z.literal('credentialsAnswer'),
    requestId: z.string(),
    envelopes: z.array(credentialEnvelopeSchema).optional(),
    error: errorReportSchema.optional(),
  }),
  z.object({ type: z.literal('commitAnswer'), requestId: z.string(), error: errorReportSchema.optional() }),
  /** Everything of this (job, token) up to `seq` is stored. */
  z.object({ type: z.literal('eventsStored'), upTo: z.array(z.object({ ...ref, seq: z.int() })) }),
]);
export type ToConnector = z.infer<typeof toConnectorSchema>;

/**
 * The exact bytes that a connector signs with its Ed25519 key to prove who is calling. No clock in it: the nonce is
 * the cloud's, fresh for each connection.
 */
export function proofText(nonce: string, connectorId: string, instanceId: string, generation: number): string {
  return ['ips.link.v1 proof', nonce, connectorId, instanceId, String(generation)].join('\n');
}
