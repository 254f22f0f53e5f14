/**
 * The engine's API: HTTPS on 8443, TLS 1.2 with ECDHE-PSK, JSON bodies, events as newline-delimited JSON. Two keys:
 * the boot key from the user data opens only `PUT /v1/session`; from then on only the session key opens anything.
 */
import { z } from 'zod';
import { DISK_FORMATS, errorReportSchema, hashSchema, stepSchema } from './job.ts';
import { tokenSchema } from './token.ts';

export const ENGINE_PORT = 8443;
/** Exactly this, on both sides: a client that allowed TLS 1.3 has been seen to talk to an impostor. */
export const ENGINE_TLS = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
} as const;
export const BOOT_IDENTITY = 'ips-boot';
export const SESSION_IDENTITY = 'ips-session';
/** Header that carries the engine's boot id in every answer, errors included. */
export const BOOT_ID_HEADER = 'ips-boot-id';
/**
 * `PUT` session, task and deadline, `GET` status and events (`?after=N`), `POST` cancel, commit and finish. The answers to
 * session and status are an `engineStatusSchema`, a failing one of any path is an `errorReportSchema`.
 */
export const ENGINE_PATHS = {
  session: '/v1/session',
  status: '/v1/status',
  task: '/v1/task',
  events: '/v1/events',
  deadline: '/v1/deadline',
  cancel: '/v1/cancel',
  commit: '/v1/commit',
  finish: '/v1/finish',
} as const;

/** Serial numbers (or labels) of the disks in an engine VM. */
export const DISK_SERIAL = { root: 'ips-root', config: 'ips-config', source: 'ips-source' } as const;

/** What stands before the JSON on the config disk; the JSON ends at the first NUL byte. */
export const USER_DATA_MAGIC = 'IPS-USER-DATA-1\n';
/** Size of the config disk, in bytes. */
export const USER_DATA_SIZE = 64 * 1024;

const key = z.string().regex(/^[0-9a-f]{64}$/);

export const userDataSchema = z.object({
  jobId: z.string(),
  token: tokenSchema,
  bootKey: key,
  /** Seconds of CLOCK_BOOTTIME, from the agent's start, until the engine powers itself off; the lease holder extends it. */
  deadlineSeconds: z.int().min(1),
  /** No extension goes beyond this many seconds after the agent's start. */
  hardDeadlineSeconds: z.int().min(1),
});
export type UserData = z.infer<typeof userDataSchema>;

export const sessionRequestSchema = z.object({ sessionKey: key });
export const engineStatusSchema = z.object({ bootId: z.string(), engineVersion: z.string() });
export type EngineStatus = z.infer<typeof engineStatusSchema>;

/** A share as the engine must reach it, with the plain secret: only ever inside the PSK session. */
export const shareAccessSchema = z.object({
  host: z.string(),
  port: z.int(),
  share: z.string(),
  folder: z.string(),
  username: z.string(),
  password: z.string(),
  domain: z.string().optional(),
});
export type ShareAccess = z.infer<typeof shareAccessSchema>;

export const exportTaskSchema = z.object({
  kind: z.literal('export'),
  jobId: z.string(),
  token: tokenSchema,
  source: z.object({
    serial: z.string(),
    /** Exact size of the disk's content, in bytes; the block device may be padded to whole sectors. */
    virtualSize: z.int().min(1),
    /** Ranges [offset, length] in bytes that may hold data, ascending; the rest is known to read as zeros. */
    dataExtents: z.array(z.tuple([z.int(), z.int()])).optional(),
  }),
  target: z.object({
    share: shareAccessSchema,
    fileName: z.string(),
    partialName: z.string(),
    format: z.enum(DISK_FORMATS),
    /** 16 bytes, hex: marks the file as made by this job and token. */
    identity: z.string().regex(/^[0-9a-f]{32}$/),
  }),
});
export type ExportTask = z.infer<typeof exportTaskSchema>;

export const engineTaskSchema = z.discriminatedUnion('kind', [exportTaskSchema]);
export type EngineTask = z.infer<typeof engineTaskSchema>;

/** What the engine found and wrote, told when it stands at "verified". */
export const verifiedSchema = z.object({
  virtualSize: z.int(),
  fileSize: z.int(),
  hashes: z.array(hashSchema),
  allocationDigest: z.string(),
  filterVersion: z.string(),
  bytesRead: z.int(),
  bytesSkipped: z.int(),
  bytesWritten: z.int(),
});
export type Verified = z.infer<typeof verifiedSchema>;

/** Of progress only the newest event is kept for readers who come later; every other event is kept. */
export const engineEventSchema = z.object({
  /** Counts from 1 within one boot of the engine. */
  seq: z.int().min(1),
  bootId: z.string(),
  body: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('step'), step: stepSchema }),
    z.object({
      kind: z.literal('progress'),
      step: stepSchema,
      bytesDone: z.int(),
      bytesTotal: z.int(),
      bytesRead: z.int(),
      bytesSkipped: z.int(),
      bytesWritten: z.int(),
      rate: z.number(),
    }),
    z.object({ kind: z.literal('log'), level: z.enum(['info', 'warn', 'error']), message: z.string() }),
    z.object({ kind: z.literal('verified'), verified: verifiedSchema }),
    z.object({ kind: z.literal('committed') }),
    /** `partialLeft`: the engine could not remove its partial file. */
    z.object({ kind: z.literal('failed'), error: errorReportSchema, partialLeft: z.literal(true).optional() }),
    z.object({ kind: z.literal('cancelled'), partialLeft: z.literal(true).optional() }),
  ]),
});
export type EngineEvent = z.infer<typeof engineEventSchema>;
export type EngineEventBody = EngineEvent['body'];

export const deadlineRequestSchema = z.object({ seconds: z.int().min(1) });
export const commitRequestSchema = z.object({ token: tokenSchema });

/** Name of the temporary file on the share: unique for job and token, hidden, ours to remove. */
export function partialName(fileName: string, jobId: string, token: string): string {
  return `.${fileName}.${jobId}.${token}.partial`;
}
