/**
 * One connector's worker with everything around it: a state folder, a journal with one accepted job, a platform and a
 * share in memory, and a supervisor that answers as it is told.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal } from '../../../../src/connector/journal.ts';
import type { JournalJob } from '../../../../src/connector/journal-job.ts';
import type { WorkerChannel, WorkerEnvironment } from '../../../../src/connector/worker/environment.ts';
import { runWorker } from '../../../../src/connector/worker/main.ts';
import type { ToSupervisor, ToWorker, WorkerMode } from '../../../../src/connector/worker-messages.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { Doors, type DoorWatcher } from '../../../../src/lib/doors.ts';
import { createLogger } from '../../../../src/lib/logging.ts';
import { systemRandom } from '../../../../src/lib/random.ts';
import { exportPublicKey, importPublicKey, seal } from '../../../../src/lib/seal.ts';
import { hostUptime } from '../../../../src/lib/uptime.ts';
import type { ErrorReport } from '../../../../src/protocol/errors.ts';
import type { EventBody, JobEvent } from '../../../../src/protocol/event.ts';
import { type JobParameters, jobParametersSchema, type Limits } from '../../../../src/protocol/job.ts';
import type { CredentialEnvelope } from '../../../../src/protocol/link.ts';
import { credentialPlace } from '../../../../src/protocol/sealed.ts';
import { PlatformDouble, type PlatformScript, ProviderDouble } from '../../../doubles/provider.ts';

export const JOB_ID = 'job-0123456789abcdef';
export const TOKEN = '1.7';
export const PARTIAL = `.disk.vhdx.${JOB_ID}.${TOKEN}.partial`;
const PASSWORD = 'planted-Secret-4711';

export interface SiteOptions {
  script?: PlatformScript;
  limits?: Partial<Limits>;
  dryRun?: boolean;
  allowedTargets?: string[];
  engineStartTimeoutMs?: number;
  watcher?: DoorWatcher;
}

export class Site {
  readonly folder: string;
  readonly platform: PlatformDouble;
  readonly journal: Journal;
  readonly sealKey: KeyObject;
  readonly sent: ToSupervisor[] = [];
  readonly options: SiteOptions;
  /** How the cloud answers a commit: held back until this settles. */
  grant: Promise<ErrorReport | undefined> = Promise.resolve(undefined);
  credentialRequests: string[] = [];
  #listener: ((message: ToWorker) => void) | undefined;

  static async open(options: SiteOptions = {}): Promise<Site> {
    const folder = await mkdtemp(join(tmpdir(), 'ips-worker-'));
    const { privateKey } = generateKeyPairSync('x25519');
    await writeFile(join(folder, 'seal.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    return new Site(folder, privateKey, options);
  }

  private constructor(folder: string, sealKey: KeyObject, options: SiteOptions) {
    this.folder = folder;
    this.sealKey = sealKey;
    this.options = options;
    this.platform = new PlatformDouble(options.script);
    this.journal = new Journal(this.journalPath, new Doors(), systemClock());
    const limits = { queueTimeoutSeconds: 60, timeoutSeconds: 60, cleanupTimeoutSeconds: 20, ...options.limits };
    this.journal.accept(
      {
        jobId: JOB_ID,
        token: TOKEN,
        parameters: parameters(options.dryRun ?? false),
        limits,
        acceptedAt: hostUptime(),
      },
      'connector-1',
    );
  }

  get journalPath(): string {
    return join(this.folder, 'journal.db');
  }

  async close(): Promise<void> {
    await this.platform.close();
    this.journal.close();
    await rm(this.folder, { recursive: true });
  }

  /** Answers a worker's message as supervisor and cloud together would. */
  async answer(message: ToSupervisor, reply: (answer: ToWorker) => void): Promise<void> {
    this.sent.push(message);
    if (message.type === 'credentials') {
      this.credentialRequests.push(message.purpose);
      reply({ type: 'credentialsAnswer', requestId: message.requestId, envelopes: [this.envelope()] });
    } else if (message.type === 'commit') {
      const error = await this.grant;
      reply({ type: 'commitAnswer', requestId: message.requestId, ...(error ? { error } : {}) });
    }
  }

  envelope(): CredentialEnvelope {
    const name = 'share';
    const place = {
      customerId: 'customer-1',
      jobId: JOB_ID,
      token: TOKEN,
      connectorId: 'connector-1',
      name,
      version: 1,
    };
    const secret = JSON.stringify({ type: 'UsernamePassword', username: 'writer', password: PASSWORD });
    const recipient = importPublicKey('X25519', exportPublicKey(this.sealKey));
    const sealed = seal(recipient, secret, credentialPlace(place));
    return { name, version: 1, allowedTargets: this.options.allowedTargets ?? ['smb://files.test/disks'], sealed };
  }

  environment(): WorkerEnvironment {
    const doors = new Doors(this.options.watcher);
    const clock = systemClock();
    const call = this.platform.call;
    const channel: WorkerChannel = {
      send: (message) => void this.answer(message, (answer) => this.#listener?.(answer)),
      onMessage: (listener) => {
        this.#listener = listener;
      },
    };
    return {
      connectorId: 'connector-1',
      customerId: 'customer-1',
      journalPath: this.journalPath,
      engineSecretPath: join(this.folder, 'engine.secret'),
      sealKey: this.sealKey,
      engineStartTimeoutMs: this.options.engineStartTimeoutMs ?? 15_000,
      openProvider: async () => new ProviderDouble(call, doors, this.options.script?.dataBytes),
      openShare: () => ({
        probe: async () => (await call('share', 'probe', '')) as { freeBytes: number },
        size: async (name) => (await call('share', 'size', name)) as number | undefined,
        remove: async (name) => void (await call('share', 'remove', name)),
      }),
      acquireLock: async () => ({ release: async () => undefined }),
      channel,
      doors,
      clock,
      random: systemRandom(),
      log: createLogger({ program: 'worker', level: process.env.IPS_TEST_LOG ?? 'silent', format: 'text' }),
    };
  }

  async run(mode: Exclude<WorkerMode, 'claim'> = 'run'): Promise<void> {
    await runWorker(this.environment(), JOB_ID, TOKEN, mode);
  }

  /** What the supervisor says by itself. */
  tell(message: ToWorker): void {
    this.#listener?.(message);
  }

  cancel(): void {
    this.journal.requestCancel(JOB_ID, TOKEN);
    this.#listener?.({ type: 'look' });
  }

  stop(): void {
    this.journal.requestStop(JOB_ID, TOKEN);
    this.#listener?.({ type: 'look' });
  }

  get job(): JournalJob {
    const job = this.journal.job(JOB_ID, TOKEN);
    if (!job) throw new Error('the job is gone');
    return job;
  }

  events(): JobEvent[] {
    return this.journal.outbox(10_000);
  }

  bodies<K extends EventBody['kind']>(kind: K): Extract<EventBody, { kind: K }>[] {
    return this.events().flatMap(({ body }) => (body.kind === kind ? [body as Extract<EventBody, { kind: K }>] : []));
  }

  /** The one terminal event. */
  ended(): Extract<EventBody, { kind: 'ended' }> {
    const [ended, ...more] = this.bodies('ended');
    if (!ended || more.length > 0) throw new Error(`${more.length + (ended ? 1 : 0)} terminal events`);
    return ended;
  }

  openRows(): number {
    const row = this.journal.database.prepare("SELECT count(*) AS n FROM ledger WHERE state <> 'gone'").get();
    return Number(row?.n);
  }
}

function parameters(dryRun: boolean): JobParameters {
  return jobParametersSchema.parse({
    type: 'export',
    source: { platform: 'qemu', path: '/disks/source.qcow2' },
    target: { location: 'smb://files.test/disks/masters', name: 'disk', credential: 'share' },
    dryRun,
  });
}

/** Waits until `condition` holds; the test's own time limit ends it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
