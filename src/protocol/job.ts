/** Jobs: their types, parameters, states, steps and results. */
import { z } from 'zod';
import { diskNameSchema, parseSmbLocation, smbLocationSchema } from './smb-location.ts';
import { plainLineSchema } from './text.ts';

export const JOB_STATES = ['queued', 'inProgress', 'committing', 'complete', 'failed', 'cancelled'] as const;
export type JobState = (typeof JOB_STATES)[number];
export const jobStateSchema = z.enum(JOB_STATES);

export const TERMINAL_STATES = ['complete', 'failed', 'cancelled'] as const;
export type TerminalState = (typeof TERMINAL_STATES)[number];

export function isTerminal(state: JobState): state is TerminalState {
  return (TERMINAL_STATES as readonly string[]).includes(state);
}

/** What a job is doing, in order. `queued` is the cloud's own; the others are reported by the worker. */
export const STEPS = [
  'queued',
  'credentials',
  'preflight',
  'startEngine',
  'connectEngine',
  'copy',
  'verify',
  'commit',
  'cleanup',
  'done',
] as const;
export type Step = (typeof STEPS)[number];
export const stepSchema = z.enum(STEPS);

/** The share of the whole at which each step begins and ends, in percent. */
export const STEP_PERCENT: Readonly<Record<Step, readonly [from: number, to: number]>> = {
  queued: [0, 0],
  credentials: [0, 1],
  preflight: [1, 2],
  startEngine: [2, 4],
  connectEngine: [4, 8],
  copy: [8, 65],
  verify: [65, 96],
  commit: [96, 97],
  cleanup: [97, 100],
  done: [100, 100],
};

/** `overallProgressPercent` of a step that is `fraction` (0 to 1) done; a whole number. */
export function overallPercent(step: Step, fraction: number): number {
  const [from, to] = STEP_PERCENT[step];
  return Math.floor(from + (to - from) * Math.min(1, Math.max(0, fraction)));
}

export const PLATFORMS = ['qemu', 'vsphere', 'azure', 'gcp'] as const;
export type Platform = (typeof PLATFORMS)[number];
export const platformSchema = z.enum(PLATFORMS);

export const DISK_FORMATS = ['vhdx', 'vhd'] as const;
export type DiskFormat = (typeof DISK_FORMATS)[number];

export const credentialNameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens, at most 63');

/** Source of an export on the `qemu` platform: an image file on the connector's machine. */
export const qemuSourceSchema = z.strictObject({
  platform: z.literal('qemu'),
  path: plainLineSchema
    .min(1)
    .max(4096)
    .startsWith('/', 'an absolute path')
    .describe('image file on the connector machine'),
  format: z
    .enum(['raw', 'qcow2', 'vmdk', 'vhdx'])
    .optional()
    .describe('format of the image file; taken from its extension when absent'),
});
export type QemuSource = z.infer<typeof qemuSourceSchema>;

export const smbTargetSchema = z.strictObject({
  location: smbLocationSchema,
  name: diskNameSchema,
  format: z.enum(DISK_FORMATS).default('vhdx'),
  credential: credentialNameSchema.describe('credential for the share'),
});

/** Each wait has a name and a limit, in whole seconds. */
export const limitsSchema = z.strictObject({
  queueTimeoutSeconds: z
    .int()
    .min(1)
    .max(30 * 86_400)
    .default(86_400)
    .describe('longest wait for a connector'),
  timeoutSeconds: z
    .int()
    .min(1)
    .max(30 * 86_400)
    .default(86_400)
    .describe('from acceptance to the commit'),
  cleanupTimeoutSeconds: z.int().min(1).max(86_400).default(1_800).describe('for teardown; nothing shortens it'),
});
export type Limits = z.infer<typeof limitsSchema>;

/** Strict, with all in it: a word that is not known here could be what makes the job harmless, misspelt. */
export const exportParametersSchema = z.strictObject({
  type: z.literal('export'),
  source: z.discriminatedUnion('platform', [qemuSourceSchema]),
  target: smbTargetSchema,
  dryRun: z.boolean().default(false).describe('checks only: nothing is created'),
});

/** One member a job type. */
export const jobParametersSchema = z.discriminatedUnion('type', [exportParametersSchema]);
export type JobParameters = z.infer<typeof jobParametersSchema>;

/** What a job of these parameters would write, however it is spelt: two live jobs of one customer must differ in it. */
export function targetKey(parameters: JobParameters): string {
  const { location, name, format } = parameters.target;
  // A file server takes names of any case for the same.
  const { host, port, share, folder } = parseSmbLocation(location);
  return JSON.stringify([host, port, share, folder, `${name}.${format}`]).toLowerCase();
}

/** The credentials a job needs, each with the target it will be sent to. */
export function credentialUses(parameters: JobParameters): { credential: string; target: string }[] {
  return [{ credential: parameters.target.credential, target: parameters.target.location }];
}

export function platformOf(parameters: JobParameters): Platform {
  return parameters.source.platform;
}

export const hashSchema = z.object({
  /** `content/sha256-4m`: SHA-256 over the SHA-256 digests of each 4 MiB block; see docs/content-hash.md. */
  algorithm: z.literal('content/sha256-4m'),
  /** `copy`: exactly what was written. `source`: every byte of the source, given when all blocks were read. */
  scope: z.enum(['copy', 'source']),
  value: z.string().regex(/^[0-9a-f]{64}$/),
});

/** A resource that could not be removed in time. */
export const leftoverSchema = z.object({
  kind: z.string(),
  name: z.string(),
  platformId: z.string().optional(),
  /** A command that an administrator can run to remove it. */
  removeWith: z.string().optional(),
});
export type Leftover = z.infer<typeof leftoverSchema>;

export const exportResultSchema = z.object({
  file: z.string().describe('name of the file on the share'),
  location: z.string(),
  format: z.enum(DISK_FORMATS),
  virtualSize: z.int().describe('bytes'),
  fileSize: z.int().describe('bytes'),
  hashes: z.array(hashSchema),
  allocationDigest: z.string().describe('SHA-256 of the map of what was copied'),
  filterVersion: z.string(),
  bytesRead: z.int(),
  bytesSkipped: z.int(),
  bytesWritten: z.int(),
  engineVersion: z.string(),
  durations: z.record(z.string(), z.int()).describe('milliseconds by step'),
});
export type ExportResult = z.infer<typeof exportResultSchema>;

/** What an engine and a worker know of a running step: the latest value only, never history. */
export const progressSchema = z.object({
  step: stepSchema,
  overallProgressPercent: z.int().min(0).max(100),
  bytesRead: z.int().optional(),
  bytesSkipped: z.int().optional(),
  bytesWritten: z.int().optional(),
  bytesTotal: z.int().optional(),
  /** Bytes a second of the running step, over the last seconds. */
  rate: z.number().optional(),
  /** Seconds until the running step ends, estimated. */
  secondsLeft: z.number().optional(),
});
export type Progress = z.infer<typeof progressSchema>;

export const errorReportSchema = z.object({ code: z.string(), message: z.string(), hint: z.string() });

export const jobResultSchema = z.object({
  export: exportResultSchema.optional(),
  leftovers: z.array(leftoverSchema).default([]),
});
export type JobResult = z.infer<typeof jobResultSchema>;
