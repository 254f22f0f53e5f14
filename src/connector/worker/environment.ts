/**
 * What a worker process is given: everything it touches comes in here, so that a test can give it a platform, a share
 * and a supervisor of its own. `ips-connector worker` builds one from configuration and state folder.
 */
import type { KeyObject } from 'node:crypto';
import type { Provider } from '../../../providers/contract.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Doors } from '../../lib/doors.ts';
import type { Logger } from '../../lib/logging.ts';
import type { RandomSource } from '../../lib/random.ts';
import type { ShareAccess } from '../../protocol/engine.ts';
import type { Platform } from '../../protocol/job.ts';
import type { SmbClient } from '../../share/smb-client.ts';
import type { JobLock } from '../job-lock.ts';
import type { ToSupervisor, ToWorker } from '../worker-messages.ts';

/** The supervisor's end of the channel. */
export interface WorkerChannel {
  send(message: ToSupervisor): void;
  onMessage(listener: (message: ToWorker) => void): void;
}

/** One folder of a share, as the connector itself reaches it. Every failure is an `IpsError` SMB_…. */
export type ShareFolder = Pick<SmbClient, 'probe' | 'size' | 'remove'>;

export interface WorkerEnvironment {
  connectorId: string;
  customerId: string;
  /** The journal's file. */
  journalPath: string;
  /** File of the engine secret, 0600, 64 hex digits; made at first use. */
  engineSecretPath: string;
  /** X25519 private key that credentials are sealed to. */
  sealKey: KeyObject;
  /** How long a started engine may take until it answers, in ms. */
  engineStartTimeoutMs: number;
  openProvider(platform: Platform): Promise<Provider>;
  /** No packet leaves before a method of it is called. */
  openShare(access: ShareAccess): ShareFolder;
  acquireLock(jobId: string): Promise<JobLock>;
  channel: WorkerChannel;
  doors: Doors;
  clock: Clock;
  random: RandomSource;
  log: Logger;
}
