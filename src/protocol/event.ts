/**
 * The history of a job. Key = (job, token, seq); seq counts from 1 without a gap within one token. Written by whoever
 * holds the job; kept by the connector until the cloud has acknowledged it. Progress is no event.
 */
import { z } from 'zod';
import { findingSchema } from './finding.ts';
import { errorReportSchema, jobResultSchema, stepSchema, TERMINAL_STATES } from './job.ts';
import { tokenSchema } from './token.ts';

/** A ledger row as it is told to the cloud: intent → made → gone. */
export const ledgerRowSchema = z.object({
  id: z.string(),
  kind: z.string(),
  name: z.string(),
  state: z.enum(['intent', 'made', 'gone']),
  platformId: z.string().optional(),
  tags: z.record(z.string(), z.string()),
  /** A command that removes it by hand. */
  removeWith: z.string().optional(),
});
export type LedgerRow = z.infer<typeof ledgerRowSchema>;

export const eventBodySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('accepted'), connectorId: z.string() }),
  z.object({ kind: z.literal('step'), step: stepSchema }),
  z.object({ kind: z.literal('findings'), findings: z.array(findingSchema) }),
  z.object({ kind: z.literal('log'), level: z.enum(['info', 'warn', 'error']), message: z.string() }),
  z.object({ kind: z.literal('ledger'), row: ledgerRowSchema }),
  z.object({
    kind: z.literal('ended'),
    state: z.enum(TERMINAL_STATES),
    result: jobResultSchema,
    error: errorReportSchema.optional(),
  }),
]);
export type EventBody = z.infer<typeof eventBodySchema>;

export const jobEventSchema = z.object({
  jobId: z.string(),
  token: tokenSchema,
  seq: z.int().min(1),
  /** The writer's wall clock, ISO 8601; for people, never compared. */
  at: z.string(),
  body: eventBodySchema,
});
export type JobEvent = z.infer<typeof jobEventSchema>;
