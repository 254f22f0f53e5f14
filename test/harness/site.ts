/**
 * A site for end-to-end tests: a deployment, a Samba server, one location with a paired connector, a small Windows-like
 * disk and a credential. Its checks look from outside: what is on the share's folder, which processes run, what the job says.
 */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { ErrorCode } from '../../src/protocol/errors.ts';
import type { JobEventView, JobView } from '../../src/protocol/rest.ts';
import { sampleDisk } from '../fixtures/sample-disk.ts';
import { recordBoot } from './boot-record.ts';
import { type ConnectorOptions, Deployment } from './deployment.ts';
import { captureHostState, compareHostState, describeHostItem, type HostState } from './host-state.ts';
import { guardLeftovers, type LeftoverGuard } from './leftover-guard.ts';
import { argumentsOf, readProcesses } from './proc-files.ts';
import { type Samba, startSamba } from './samba.ts';

export const LOCATION = 'site-1';
export const CONNECTOR = 'appliance-1';
export const USER = 'exporter';
export const PASSWORD = 'Correct-horse-7';

export interface SiteOptions {
  cloud?: Readonly<Record<string, unknown>>;
  connector?: Partial<ConnectorOptions>;
  /** Puts the share on a file system of this many MiB. */
  shareMiB?: number;
  /** Leave the connector unpaired and stopped. */
  withoutConnector?: boolean;
}

export class Site {
  readonly #before: HostState;
  readonly #guard: LeftoverGuard;
  readonly folder: string;
  readonly samba: Samba;
  readonly deployment: Deployment;
  /** The small sample disk. */
  readonly disk: string;
  readonly sourceFolder: string;

  private constructor(
    before: HostState,
    guard: LeftoverGuard,
    parts: Pick<Site, 'folder' | 'samba' | 'deployment' | 'disk' | 'sourceFolder'>,
  ) {
    this.#before = before;
    this.#guard = guard;
    this.folder = parts.folder;
    this.samba = parts.samba;
    this.deployment = parts.deployment;
    this.disk = parts.disk;
    this.sourceFolder = parts.sourceFolder;
  }

  static async start(options: SiteOptions = {}): Promise<Site> {
    const before = await captureHostState();
    const disk = resolve(import.meta.dirname, '../../build/sample/windows-small.qcow2');
    await sampleDisk(disk, { small: true });
    const folder = await mkdtemp(join(tmpdir(), 'ips-e2e-'));
    const guard = guardLeftovers(folder);
    const sourceFolder = join(folder, 'disks');
    await mkdir(sourceFolder);
    const limit = options.shareMiB === undefined ? {} : { limitMiB: options.shareMiB };
    const samba = await startSamba({
      dir: join(folder, 'samba'),
      shares: [
        { name: 'images', path: join(folder, 'share'), ...limit },
        { name: 'readonly', path: join(folder, 'readonly'), writable: false },
      ],
      user: USER,
      password: PASSWORD,
    });
    const deployment = await Deployment.start(join(folder, 'ips'), options.cloud);
    const site = new Site(before, guard, { folder, samba, deployment, disk, sourceFolder });
    await deployment.mustRun(['location', 'create', LOCATION]);
    await site.setCredential('share', PASSWORD);
    if (!options.withoutConnector) {
      const sources = [resolve(disk, '..'), sourceFolder];
      const { qemu, ...more } = options.connector ?? {};
      // The tests act on steps that under KVM would be over before they are seen.
      const slowly = { accelerator: 'tcg', ...qemu };
      await deployment.pairConnector(LOCATION, { name: CONNECTOR, sourceFolders: sources, qemu: slowly, ...more });
      await deployment.startConnector(CONNECTOR);
    }
    return site;
  }

  get share(): string {
    return join(this.folder, 'share');
  }

  /** The share's location, as jobs name it. */
  target(share = 'images', folder = ''): string {
    return `smb://${this.samba.host}:${this.samba.port}/${share}${folder === '' ? '' : `/${folder}`}`;
  }

  async setCredential(
    name: string,
    password: string,
    allow = `smb://${this.samba.host}:${this.samba.port}`,
  ): Promise<void> {
    const args = ['credential', 'set', name, '--username', USER, '--password-stdin', '--allow', allow];
    await this.deployment.mustRun(args, `${password}\n`);
  }

  /** Starts an export without waiting. @returns the job's id */
  async begin(
    options: { disk?: string; to?: string; name?: string; credential?: string; more?: readonly string[] } = {},
  ): Promise<string> {
    const job = await this.deployment.json<JobView>([
      ...['export', 'qemu', '--location', LOCATION, '--disk', options.disk ?? this.disk],
      ...['--to', options.to ?? this.target(), '--name', options.name ?? 'golden'],
      ...['--credential', options.credential ?? 'share', '--no-wait', ...(options.more ?? [])],
    ]);
    return job.id;
  }

  async job(id: string): Promise<JobView> {
    return await this.deployment.json<JobView>(['job', 'show', id]);
  }

  /** Waits until the job is in a state (or step) that `reached` accepts. */
  async waitFor(id: string, reached: (job: JobView) => boolean, limitMs = 120_000): Promise<JobView> {
    for (let waited = 0; ; waited += 250) {
      const job = await this.job(id);
      if (reached(job)) return job;
      if (waited >= limitMs || isOver(job)) {
        throw new Error(`the job is ${job.state} at ${job.step}: ${JSON.stringify(job.error)}\n${await this.log(id)}`);
      }
      await sleep(250);
    }
  }

  /** Waits for the end of a job, and counts the guest boots that its log tells of for the running test. */
  async end(id: string, limitMs = 240_000): Promise<JobView> {
    const job = await this.waitFor(id, isOver, limitMs);
    for (const [, bootId = ''] of (await this.log(id)).matchAll(/answers, boot ([0-9a-f-]{36})/g)) {
      await recordBoot(expect.getState().currentTestName ?? 'outside a test', bootId);
    }
    return job;
  }

  async log(id: string): Promise<string> {
    return (await this.deployment.ips(['job', 'log', id])).stdout;
  }

  /** The job's history, as the cloud has it. */
  async events(id: string): Promise<JobEventView[]> {
    const text = await this.deployment.mustRun(['job', 'log', id, '--events', '--json']);
    return JSON.parse(text);
  }

  /** Names in the share's folder, hidden ones too, as the server's own file system has them. */
  async shareFiles(): Promise<string[]> {
    return (await readdir(this.share)).sort();
  }

  /** Processes of ours that are engines: none may be left when no job is live. */
  async engines(): Promise<string[]> {
    const lines = await Promise.all((await readProcesses()).map(({ pid }) => argumentsOf(pid)));
    return lines.map((args) => args.join(' ')).filter((line) => line.includes(`-pidfile ${this.folder}/ips/`));
  }

  /** Nothing of a job is left: no engine, no file of an engine, an empty ledger, and on the share just `files`. */
  async expectNoTrace(job: JobView, files: readonly string[] = []): Promise<void> {
    expect(job.openLedger).toEqual([]);
    expect(await this.shareFiles()).toEqual([...files].sort());
    expect(await this.engines()).toEqual([]);
    for (const name of this.deployment.connectors.keys()) {
      const entries = await readdir(join(this.deployment.folder, name), { recursive: true });
      expect(entries.map((entry) => basename(entry)).filter((entry) => entry.includes(job.id))).toEqual([]);
    }
  }

  async stop(): Promise<void> {
    try {
      await this.deployment.stop();
    } finally {
      await this.samba.stop();
      expect(await this.engines()).toEqual([]);
      await rm(this.folder, { recursive: true, force: true });
      await this.#guard.dismiss();
      const { appeared } = compareHostState(this.#before, await captureHostState());
      expect(appeared.map(describeHostItem)).toEqual([]);
    }
  }
}

export function isOver(job: JobView): boolean {
  return job.state === 'complete' || job.state === 'failed' || job.state === 'cancelled';
}

/** The job failed with this code, and says in a sentence each why and what to do. */
export function expectFailure(job: JobView, code: ErrorCode): void {
  expect({ state: job.state, code: job.error?.code }).toEqual({ state: 'failed', code });
  expect(job.error?.message).toMatch(/^[A-Z].*\S/);
  expect(job.error?.hint).toMatch(/^[A-Z].*\.$/);
}
