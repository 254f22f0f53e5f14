/** The engine's agent as a plain process: real TLS, real copy and verification; a folder in place of the mounted share. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { EngineClient } from '../../../src/connector/engine-client.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { Doors } from '../../../src/lib/doors.ts';
import {
  BOOT_IDENTITY,
  type EngineEvent,
  type ExportTask,
  SESSION_IDENTITY,
  USER_DATA_MAGIC,
} from '../../../src/protocol/engine.ts';

const MAIN = new URL('../../../src/engine/main.ts', import.meta.url).pathname;
const MIB = 1024 * 1024;
const LAST_EVENTS = ['verified', 'failed', 'cancelled', 'committed'];

export const BOOT_KEY = Buffer.alloc(32, 0xb0);
export const SESSION_KEY = Buffer.alloc(32, 0x5e);
/** Of the share, which a folder stands in for: never used. */
export const PASSWORD = 'Never-used-9';
export const TARGET = 'master.vhdx';
export const PARTIAL = '.master.vhdx.job-1.1.1.partial';

export interface AgentOptions {
  /** A private folder. */
  folder: string;
  /** Length of the source in MiB, and which of them hold data; the rest are holes. */
  sourceMiB: number;
  dataMiB: readonly number[];
  deadlineSeconds?: number;
  /** A named pipe whose opening holds a thread of the agent's pool for good, as a silent file server does. */
  hangingOpen?: string;
}

const FINISHED = 'ips-engine: finished';
const DEADLINE = 'ips-engine: the deadline has passed';

export class AgentProcess {
  readonly child: ChildProcess;
  readonly port: number;
  readonly shareFolder: string;
  readonly source: string;
  readonly sourceSize: number;
  /** What it printed until now, line by line: both streams. */
  readonly output: readonly string[];

  private constructor(child: ChildProcess, port: number, folder: string, sourceMiB: number, output: readonly string[]) {
    this.child = child;
    this.port = port;
    this.shareFolder = `${folder}/share`;
    this.source = `${folder}/source.raw`;
    this.sourceSize = sourceMiB * MIB;
    this.output = output;
  }

  static async start(options: AgentOptions): Promise<AgentProcess> {
    const { folder, sourceMiB, dataMiB, deadlineSeconds = 300 } = options;
    await mkdir(`${folder}/share`, { recursive: true });
    await writeSource(`${folder}/source.raw`, sourceMiB, dataMiB);
    const bootKey = BOOT_KEY.toString('hex');
    const userData = { jobId: 'job-1', token: '1.1', bootKey, deadlineSeconds, hardDeadlineSeconds: 600 };
    await writeFile(`${folder}/user-data`, `${USER_DATA_MAGIC}${JSON.stringify(userData)}\0`, { mode: 0o600 });
    const files = ['--user-data', `${folder}/user-data`, '--source', `${folder}/source.raw`];
    const rest = ['--share-folder', `${folder}/share`, '--port', '0'];
    const before = options.hangingOpen === undefined ? [] : ['--import', opening(options.hangingOpen)];
    const child = spawn(process.execPath, [...before, MAIN, ...files, ...rest], { stdio: ['ignore', 'pipe', 'pipe'] });
    const output: string[] = [];
    const lines = createInterface({ input: child.stdout }).on('line', (line) => output.push(line));
    createInterface({ input: child.stderr }).on('line', (line) => output.push(line));
    const [line] = await once(lines, 'line');
    const port = Number(/ listening on 127\.0\.0\.1:(\d+),/.exec(line)?.[1]);
    return new AgentProcess(child, port, folder, sourceMiB, output);
  }

  client(identity: string = SESSION_IDENTITY, key: Buffer = SESSION_KEY): EngineClient {
    return new EngineClient(
      { host: '127.0.0.1', port: this.port },
      { identity, key },
      { doors: new Doors(), clock: systemClock() },
    );
  }

  /** Hands over the session key and gives a client that has it. */
  async openSession(): Promise<EngineClient> {
    await this.client(BOOT_IDENTITY, BOOT_KEY).putSession(SESSION_KEY, never());
    return this.client();
  }

  task(target: Partial<ExportTask['target']> = {}, source: Partial<ExportTask['source']> = {}): ExportTask {
    return exportTask(this.sourceSize, target, source);
  }

  /** How it ended by itself: what it said last. */
  async end(): Promise<'finished' | 'deadline' | 'neither'> {
    // Not "exit": what it printed is read to its end then.
    if (this.#running()) await once(this.child, 'close');
    if (this.output.at(-1) === FINISHED) return 'finished';
    return this.output.at(-1) === DEADLINE ? 'deadline' : 'neither';
  }

  async kill(): Promise<void> {
    if (!this.#running()) return;
    const closed = once(this.child, 'close');
    this.child.kill('SIGKILL');
    await closed;
  }

  #running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }
}

export function exportTask(
  virtualSize: number,
  target: Partial<ExportTask['target']> = {},
  source: Partial<ExportTask['source']> = {},
): ExportTask {
  return {
    kind: 'export',
    jobId: 'job-1',
    token: '1.1',
    source: { serial: 'ips-source', virtualSize, ...source },
    target: {
      share: { host: 'files.example', port: 445, share: 's', folder: '', username: 'u', password: PASSWORD },
      fileName: TARGET,
      partialName: PARTIAL,
      format: 'vhdx',
      identity: '0f'.repeat(16),
      ...target,
    },
  };
}

/** Events up to the one that ends the task or leaves it at "verified". */
export async function eventsUntilRest(client: EngineClient, after = 0): Promise<EngineEvent[]> {
  const seen: EngineEvent[] = [];
  for await (const event of client.events(after, never())) {
    seen.push(event);
    if (LAST_EVENTS.includes(event.body.kind)) break;
  }
  return seen;
}

export function never(): AbortSignal {
  return new AbortController().signal;
}

/** A module that opens a file, and does not mind that this never ends. */
function opening(path: string): string {
  return `data:text/javascript,import {open} from 'node:fs'; open(${JSON.stringify(path)}, 'r', () => {});`;
}

/** Each MiB of data holds its own number in every byte, so that no two are the same. */
export async function writeSource(path: string, sizeMiB: number, dataMiB: readonly number[]): Promise<void> {
  const file = await open(path, 'w');
  await file.truncate(sizeMiB * MIB);
  for (const at of dataMiB) await file.write(Buffer.alloc(MIB, 1 + (at % 255)), 0, MIB, at * MIB);
  await file.close();
}
