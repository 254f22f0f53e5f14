/**
 * What a platform must be able to do for a connector. A provider never decides about a job: it looks, makes, finds and
 * removes, each idempotent by tag, each bounded by a signal, each failure an `IpsError` of the catalogue.
 *
 * Whatever it creates it writes into the ledger *before* the call that creates it, under a name that follows from job
 * and token alone, so that a crash between the two can be looked up again.
 */

import type { Clock } from '../src/lib/clock.ts';
import type { Doors } from '../src/lib/doors.ts';
import type { Logger } from '../src/lib/logging.ts';
import type { LedgerRow } from '../src/protocol/event.ts';
import type { Finding } from '../src/protocol/finding.ts';
import type { JobParameters, Platform } from '../src/protocol/job.ts';
import type { Token } from '../src/protocol/token.ts';

/** The ledger of one job and token. Every call is durable before it returns. */
export interface Ledger {
  /** States that something is about to be made. An open row of this kind and name is given back, not doubled. */
  intent(kind: string, name: string, details?: { removeWith?: string }): LedgerRow;
  /** It exists; `platformId` is how the platform calls it. */
  made(row: LedgerRow, platformId: string): void;
  /** The platform says that it is not there (any more). */
  gone(row: LedgerRow): void;
  /** Rows that are not gone, oldest first. */
  open(): LedgerRow[];
}

/** Tags that travel inside each creating call. */
export const TAGS = { job: 'ips-job', token: 'ips-token', connector: 'ips-connector' } as const;

export interface ProviderContext {
  jobId: string;
  token: Token;
  connectorId: string;
  ledger: Ledger;
  log: Logger;
}

/** What the engine needs to know to find its disks, and what a provider can say of the source beforehand. */
export interface SourceView {
  /** Serial number (or label) of the source disk inside the engine. */
  serial: string;
  /** Bytes. */
  virtualSize: number;
  /** Ranges [offset, length] in bytes that may hold data; absent when the platform cannot tell. */
  dataExtents?: [number, number][];
  /** Bytes that may hold data: an upper bound of what will be written. */
  dataBytes: number;
}

export interface EngineAddress {
  host: string;
  port: number;
}

export interface StartRequest {
  parameters: JobParameters;
  /** The config disk's content, or what the platform calls user data; it holds the boot key. */
  userData: Buffer;
}

export interface Provider {
  readonly platform: Platform;

  /**
   * Whether this connector can serve the source at all. Quick, and without any effect.
   * @throws IpsError SOURCE_NOT_HERE when it cannot: the job is then declined, not failed
   */
  claim(parameters: JobParameters, signal: AbortSignal): Promise<void>;

  /** Looks at source and platform; changes nothing. A critical finding's code is the error the job fails with. */
  preflight(parameters: JobParameters, context: ProviderContext, signal: AbortSignal): Promise<Finding[]>;

  /**
   * What is known of the source. Called after a preflight without critical findings, and again once the engine runs: it
   * must then be a view of what that engine has attached.
   */
  describeSource(parameters: JobParameters, context: ProviderContext, signal: AbortSignal): Promise<SourceView>;

  /**
   * Starts the engine VM, or finds the one that this job and token started already.
   * @throws IpsError SOURCE_IN_USE, ENGINE_START_FAILED, …
   */
  startEngine(request: StartRequest, context: ProviderContext, signal: AbortSignal): Promise<void>;

  /** Where the engine listens, or undefined while the platform cannot say yet. */
  engineAddress(context: ProviderContext, signal: AbortSignal): Promise<EngineAddress | undefined>;

  /** Whether the engine VM still exists and is powered on. */
  engineAlive(context: ProviderContext, signal: AbortSignal): Promise<boolean>;

  /** Takes the user data (which holds the boot key) away, once the engine has its session key. */
  removeUserData(context: ProviderContext, signal: AbortSignal): Promise<void>;

  /** The last lines of the engine's console, for the log of a job that went wrong; empty when there is none. */
  console(context: ProviderContext, signal: AbortSignal): Promise<string>;

  /** How the engine must call a host that this connector calls `host`: on a host-bound platform, loopback differs. */
  hostSeenFromEngine(host: string): string;

  /**
   * Removes, in reverse order, whatever the ledger of this job and token still holds, and marks each row gone when the
   * platform says so. Returns without an error also when something is left: the open ledger tells.
   */
  teardown(context: ProviderContext, signal: AbortSignal): Promise<void>;

  /** What carries our tags on the platform, whether or not a ledger knows it. */
  list(signal: AbortSignal): Promise<{ kind: string; name: string; platformId: string; jobId?: string }[]>;
}

/** How a connector makes a provider; each provider's `index.ts` exports one of these as `createProvider`. */
export type CreateProvider = (environment: {
  settings: unknown;
  /** A private folder for the provider's own files. */
  stateFolder: string;
  doors: Doors;
  clock: Clock;
  log: Logger;
}) => Provider;
