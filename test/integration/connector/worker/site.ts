/**
 * One connector's worker with everything around it: a state folder, a journal with one accepted job, a platform and a
 * share in memory, and a supervisor that answers as it is told.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import winston from 'winston';
import { Journal } from '../../../../src/connector/journal.ts';
import type { JournalJob } from '../../../../src/connector/journal-job.ts';
import type { WorkerChannel, WorkerEnvironment } from '../../../../src/connector/worker/environment.ts';
import { runWorker } from '../../../../src/connector/worker/main.ts';
import type { ToSupervisor, ToWorker, WorkerMode } from '../../../../src/connector/worker-messages.ts';
import { type Clock, systemClock } from '../../../../src/lib/clock.ts';
import { Doors, type DoorWatcher } from '../../../../src/lib/doors.ts';
import { createLogger, type Logger } from '../../../../src/lib/logging.ts';
import { systemRandom } from '../../../../src/lib/random.ts';
import { exportPublicKey, importPublicKey, seal } from '../../../../src/lib/seal.ts';
import { hostUptime } from '../../../../src/lib/uptime.ts';
import { type ErrorReport, IpsError } from '../../../../src/protocol/errors.ts';
import type { EventBody, JobEvent } from '../../../../src/protocol/event.ts';
import { type DiskFormat, type JobParameters, jobParametersSchema, type Limits } from '../../../../src/protocol/job.ts';
import type { CredentialEnvelope } from '../../../../src/protocol/link.ts';
import { credentialPlace } from '../../../../src/protocol/sealed.ts';
import type { EngineDouble } from '../../../doubles/engine.ts';
import { PlatformDouble, type PlatformScript, ProviderDouble } from '../../../doubles/provider.ts';

export const JOB_ID = 'job-0123456789abcdef';
export const TOKEN = '1.7';
export const PARTIAL = `.disk.vhdx.${JOB_ID}.${TOKEN}.partial`;
/** What the cloud says in its welcome. */
export const LEASE_TTL_MS = 30_000;
const PASSWORD = 'planted-Secret-4711';
/** The password in this version of the credential. */
export const passwordOf = (version: number): string => `${PASSWORD}-${version}`;

export interface SiteOptions {
  script?: PlatformScript;
  limits?: Partial<Limits>;
  dryRun?: boolean;
  format?: DiskFormat;
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
  readonly clock = new LeapingClock();
  /** How the cloud answers a commit: held back until this settles. */
  grant: Promise<ErrorReport | undefined> = Promise.resolve(undefined);
  credentialRequests: string[] = [];
  /** Version of the credential that the cloud has. */
  credentialVersion = 1;
  /** While it is, questions for credentials wait for `answerCredentials`. */
  isCloudAway = false;
  #unanswered: (() => void)[] = [];
  /** How often a provider cannot be opened. */
  providerFailures = 0;
  /** Everything that workers have logged. */
  logged = '';
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
        parameters: parameters(options),
        limits,
        acceptedAt: hostUptime(),
      },
      'connector-1',
    );
  }

  get journalPath(): string {
    return join(this.folder, 'journal.db');
  }

  /** @throws Error when the planted secret lies where it must not */
  async close(): Promise<void> {
    const told = JSON.stringify(this.events());
    try {
      const files = (await readdir(this.folder)).filter((name) => name.startsWith('journal.db'));
      const places = new Map<string, Buffer>([
        ['an event', Buffer.from(told)],
        ['a log line', Buffer.from(this.logged)],
        ...(await Promise.all(
          files.map(async (name): Promise<[string, Buffer]> => [name, await readFile(join(this.folder, name))]),
        )),
      ]);
      for (const [place, bytes] of places) {
        const found = spellings(PASSWORD).find((spelling) => bytes.includes(spelling));
        if (found !== undefined) throw new Error(`the planted secret lies in ${place}, spelt ${found}`);
      }
    } finally {
      await this.platform.close();
      this.journal.close();
      await rm(this.folder, { recursive: true });
    }
  }

  /** Answers a worker's message as supervisor and cloud together would. */
  async answer(message: ToSupervisor, reply: (answer: ToWorker) => void): Promise<void> {
    this.sent.push(message);
    if (message.type === 'credentials') {
      this.credentialRequests.push(message.purpose);
      const { requestId } = message;
      this.#unanswered.push(() => reply({ type: 'envelopes', requestId, envelopes: [this.envelope()] }));
      if (!this.isCloudAway) this.answerCredentials();
    } else if (message.type === 'commit') {
      const { requestId } = message;
      const error = await this.grant;
      reply(error ? { type: 'refused', requestId, error } : { type: 'granted', requestId, leaseTtlMs: LEASE_TTL_MS });
    }
  }

  answerCredentials(): void {
    for (const answer of this.#unanswered.splice(0)) answer();
  }

  /** How often workers asked the cloud for the grant. */
  get grantsAsked(): number {
    return this.sent.filter(({ type }) => type === 'commit').length;
  }

  envelope(): CredentialEnvelope {
    const name = 'share';
    const version = this.credentialVersion;
    const place = {
      customerId: 'customer-1',
      jobId: JOB_ID,
      token: TOKEN,
      connectorId: 'connector-1',
      name,
      version,
    };
    const secret = JSON.stringify({ type: 'UsernamePassword', username: 'writer', password: passwordOf(version) });
    const recipient = importPublicKey('X25519', exportPublicKey(this.sealKey));
    const sealed = seal(recipient, secret, credentialPlace(place));
    return { name, version, allowedTargets: this.options.allowedTargets ?? ['smb://files.test/disks'], sealed };
  }

  environment(): WorkerEnvironment {
    const doors = new Doors(this.options.watcher);
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
      openProvider: async () => {
        if (this.providerFailures > 0) {
          this.providerFailures -= 1;
          throw new IpsError('CONFIG_INVALID', 'The provider cannot be opened.');
        }
        return new ProviderDouble(call, doors, this.options.script?.dataBytes);
      },
      openShare: ({ password }) => ({
        probe: async () => (await call('share', 'probe', '', password)) as { freeBytes: number },
        size: async (name) => (await call('share', 'size', name, password)) as number | undefined,
        remove: async (name) => void (await call('share', 'remove', name, password)),
      }),
      acquireLock: async () => ({ release: async () => undefined }),
      channel,
      doors,
      clock: this.clock,
      random: systemRandom(),
      log: this.#log(),
    };
  }

  async run(mode: Exclude<WorkerMode, 'claim'> = 'run'): Promise<void> {
    await runWorker(this.environment(), JOB_ID, TOKEN, mode);
  }

  /** A first worker got as far as the grant, stored it and is heard no more: as if it had died then. */
  async runToTheGrant(): Promise<void> {
    const { grant } = this;
    this.grant = new Promise(() => undefined);
    void this.run().catch(() => undefined);
    await until(() => this.grantsAsked === 1);
    this.journal.storeGrant(JOB_ID, TOKEN);
    this.grant = grant;
  }

  /** The engine of the first worker. */
  get engine(): EngineDouble {
    const [engine] = this.platform.engines;
    if (!engine) throw new Error('there is no engine yet');
    return engine;
  }

  /** How often the engine was asked to commit. */
  get commits(): number {
    return this.platform.engines.flatMap(({ requests }) => requests).filter((what) => what === 'POST /v1/commit')
      .length;
  }

  /** Keeps every line; shows them too when IPS_TEST_LOG says from which level on. */
  #log(): Logger {
    const log = createLogger({ program: 'worker', level: 'debug', format: 'text' });
    for (const shown of log.transports) {
      shown.silent = process.env.IPS_TEST_LOG === undefined;
      if (process.env.IPS_TEST_LOG !== undefined) shown.level = process.env.IPS_TEST_LOG;
    }
    const stream = new Writable({
      write: (chunk, _encoding, done) => {
        this.logged += String(chunk);
        done();
      },
    });
    return log.add(new winston.transports.Stream({ stream }));
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

function parameters({ dryRun = false, format = 'vhdx' }: SiteOptions): JobParameters {
  return jobParametersSchema.parse({
    type: 'export',
    source: { platform: 'qemu', path: '/disks/source.qcow2' },
    target: { location: 'smb://files.test/disks/masters', name: 'disk', format, credential: 'share' },
    dryRun,
  });
}

/** The system's clock, whose monotonic time a test can move on at once, as it looks to a process that was paused. */
class LeapingClock implements Clock {
  readonly #system = systemClock();
  #leapt = 0;
  /** Pauses between tries are so many times shorter. */
  haste = 1;

  leap(ms: number): void {
    this.#leapt += ms;
  }

  monotonic(): number {
    return this.#system.monotonic() + this.#leapt;
  }

  readonly wall = this.#system.wall;
  readonly after = this.#system.after;
  readonly every = this.#system.every;

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#system.sleep(ms / this.haste, signal);
  }
}

/** A secret as it stands, in hex, and in base64 wherever it begins within a longer text. */
function spellings(secret: string): string[] {
  const hex = Buffer.from(secret).toString('hex');
  const base64 = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]).toString('base64');
    // The outer characters depend on what stands beside it.
    return text.slice(before === 0 ? 0 : 4, -4);
  });
  return [secret, hex, hex.toUpperCase(), ...base64];
}

/** Longest wait for a condition, in ms. */
const PATIENCE_MS = 30_000;

/** Waits until `condition` holds. @throws Error when it never does */
export async function until(condition: () => boolean): Promise<void> {
  const started = performance.now();
  while (!condition()) {
    if (performance.now() - started > PATIENCE_MS) throw new Error(`not in ${PATIENCE_MS / 1000} s: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
