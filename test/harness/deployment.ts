/**
 * A whole deployment for tests and the demo: the four programs as `make build` made them, started as an administrator
 * starts them, each in its own process, with state in one folder. Nothing here reaches into their memory: the harness
 * drives the `ips` command and looks at files, processes and exit codes. However this process ends, the programs end with
 * it; for the virtual machines see leftover-guard.ts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ToolResult, tryTool } from './tools.ts';

const PROGRAMS = resolve(import.meta.dirname, '../../dist');
const ENGINE_IMAGE = resolve(import.meta.dirname, '../../build/engine');
const START_LIMIT_MS = 30_000;

/** A started program of ours; its output goes to a log file in the deployment's folder. */
export class Program {
  readonly child: ChildProcess;
  readonly #name: string;

  constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.child = child;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Ends it and waits; SIGKILL after ten seconds is an error, since our programs obey SIGTERM. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (!this.running) return;
    const ended = new Promise((done) => this.child.once('exit', done));
    this.child.kill(signal);
    const obeyed = await Promise.race([ended.then(() => true), sleep(10_000, false, { ref: false })]);
    if (obeyed) return;
    this.child.kill('SIGKILL');
    await ended;
    throw new Error(`${this.#name} did not end on ${signal}`);
  }
}

export interface ConnectorOptions {
  name: string;
  sourceFolders: readonly string[];
  /** Merged into the configuration file. */
  settings?: Readonly<Record<string, unknown>>;
  /** Merged into the `qemu` part of the configuration file. */
  qemu?: Readonly<Record<string, unknown>>;
}

export class Deployment {
  readonly folder: string;
  readonly url: string;
  readonly pin: string;
  cloud: Program;
  readonly connectors = new Map<string, Program>();

  private constructor(folder: string, cloud: Program, ready: { url: string; pin: string }) {
    this.folder = folder;
    this.cloud = cloud;
    this.url = ready.url;
    this.pin = ready.pin;
  }

  /** Starts a cloud service in an empty folder and logs the `ips` command in with its first admin token. */
  static async start(folder: string, cloudSettings: Readonly<Record<string, unknown>> = {}): Promise<Deployment> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await mkdir(join(folder, 'home'), { recursive: true, mode: 0o700 });
    await writeFile(
      join(folder, 'cloud.json'),
      JSON.stringify({
        listen: { address: '127.0.0.1', port: 0 },
        dataFolder: join(folder, 'cloud'),
        ...cloudSettings,
      }),
    );
    const { program, ready } = await startCloud(folder);
    const deployment = new Deployment(folder, program, ready);
    try {
      await deployment.mustRun([
        ...['login', '--url', ready.url, '--pin', ready.pin],
        ...['--token-file', join(folder, 'admin-token')],
      ]);
      return deployment;
    } catch (error) {
      await program.stop();
      throw error;
    }
  }

  /** Starts the cloud service again, on the same port and data, after it was stopped or killed. */
  async restartCloud(): Promise<void> {
    const settings = JSON.parse(await readFile(join(this.folder, 'cloud.json'), 'utf8'));
    const listen = { address: '127.0.0.1', port: Number(new URL(this.url).port) };
    await writeFile(join(this.folder, 'cloud.json'), JSON.stringify({ ...settings, listen }));
    this.cloud = (await startCloud(this.folder)).program;
  }

  /** Runs the `ips` command to its end, also when somebody presses Ctrl-C meanwhile: that is for us to handle. */
  async ips(args: readonly string[], input = ''): Promise<ToolResult> {
    const [program, all] = boundToUs('ips', args);
    return await tryTool(program, all, { input, env: this.#environment(), apart: true });
  }

  /**
   * Runs the `ips` command in sight of the user: our terminal is its terminal.
   * @param signal interrupts it, as Ctrl-C does
   * @returns its exit code
   */
  async ipsInSight(args: readonly string[], signal: AbortSignal): Promise<number> {
    const [program, all] = boundToUs('ips', args);
    const child = spawn(program, all, { stdio: 'inherit', env: this.#environment() });
    const interrupt = () => child.kill('SIGINT');
    signal.addEventListener('abort', interrupt);
    const code = await new Promise<number>((done) => child.once('close', (code) => done(code ?? 1)));
    signal.removeEventListener('abort', interrupt);
    return code;
  }

  /** Runs the `ips` command, which must succeed. @returns its standard output */
  async mustRun(args: readonly string[], input = ''): Promise<string> {
    const run = await this.ips(args, input);
    if (run.code !== 0) throw new Error(`ips ${args.join(' ')} ended with ${run.code}:\n${run.stdout}${run.stderr}`);
    return run.stdout;
  }

  /** Runs the `ips` command with `--json`, which must succeed. */
  async json<T = Record<string, unknown>>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.mustRun([...args, '--json']));
  }

  /** Writes a connector's configuration and pairs it with a fresh code for a location. */
  async pairConnector(location: string, options: ConnectorOptions): Promise<void> {
    await this.configureConnector(options);
    const { code } = await this.json<{ code: string }>(['connector', 'pair', '--location', location]);
    const args = ['pair', '--cloud', this.url, '--pin', this.pin, '--name', options.name, '--code', '-'];
    const run = await this.connectorCommand(options.name, args, { input: `${code}\n` });
    if (run.code !== 0) throw new Error(`pairing ended with ${run.code}:\n${run.stdout}${run.stderr}`);
  }

  async configureConnector({ name, sourceFolders, settings, qemu }: ConnectorOptions): Promise<void> {
    const config = {
      stateFolder: join(this.folder, name),
      platforms: ['qemu'],
      engine: { imageFolder: ENGINE_IMAGE },
      ...settings,
      qemu: { sourceFolders, ...qemu },
    };
    await writeFile(join(this.folder, `${name}.json`), JSON.stringify(config));
  }

  /** Runs a command of `ips-connector` to its end with that connector's configuration. */
  async connectorCommand(name: string, args: readonly string[], options: { input?: string } = {}): Promise<ToolResult> {
    const [command = '', ...rest] = args;
    const all = [command, '--config', join(this.folder, `${name}.json`), ...rest];
    return await tryTool(join(PROGRAMS, 'ips-connector'), all, options);
  }

  /** Starts a paired connector's daemon and waits until the cloud says that it is connected. */
  async startConnector(name: string): Promise<Program> {
    const args = ['run', '--config', join(this.folder, `${name}.json`)];
    const program = await startProgram('ips-connector', args, join(this.folder, `${name}.log`));
    this.connectors.set(name, program);
    await this.waitForConnector(name, program);
    return program;
  }

  async waitForConnector(name: string, program: Program): Promise<void> {
    for (let waited = 0; waited < START_LIMIT_MS; waited += 200) {
      const connectors = await this.json<{ name: string; state: string }[]>(['connector', 'list']);
      if (connectors.some((each) => each.name === name && each.state === 'connected')) return;
      if (!program.running) break;
      await sleep(200);
    }
    throw new Error(`${name} did not connect:\n${(await this.log(name)).slice(-3000)}`);
  }

  /** What a program has logged so far: `cloud` or a connector's name. */
  async log(name: string): Promise<string> {
    return await readFile(join(this.folder, `${name}.log`), 'utf8');
  }

  /** Ends all programs. Engines that still run are the connectors' business and stay for the caller to see. */
  async stop(): Promise<void> {
    const ends = await Promise.allSettled([this.cloud, ...this.connectors.values()].map((each) => each.stop()));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** The user's own log-in must neither be seen nor changed. */
  #environment(): NodeJS.ProcessEnv {
    const { XDG_CONFIG_HOME: _, ...rest } = process.env;
    return { ...rest, HOME: join(this.folder, 'home') };
  }
}

async function startCloud(folder: string): Promise<{ program: Program; ready: { url: string; pin: string } }> {
  const readyFile = join(folder, 'ready.json');
  await writeFile(readyFile, '');
  const args = [
    ...['serve', '--config', join(folder, 'cloud.json')],
    ...['--ready-file', readyFile, '--admin-token-file', join(folder, 'admin-token')],
  ];
  const program = await startProgram('ips-cloud', args, join(folder, 'cloud.log'));
  for (let waited = 0; waited < START_LIMIT_MS && program.running; waited += 50) {
    const text = await readFile(readyFile, 'utf8').catch(() => '');
    if (text !== '') return { program, ready: JSON.parse(text) };
    await sleep(50);
  }
  await program.stop('SIGKILL');
  throw new Error(`ips-cloud did not start:\n${(await readFile(join(folder, 'cloud.log'), 'utf8')).slice(-3000)}`);
}

/** A program of ours that the kernel kills when this process ends, however that is. */
function boundToUs(name: string, args: readonly string[]): [program: string, args: string[]] {
  return ['setpriv', ['--pdeathsig', 'KILL', join(PROGRAMS, name), ...args]];
}

async function startProgram(name: string, args: readonly string[], logFile: string): Promise<Program> {
  const log = openSync(logFile, 'a');
  try {
    // A process group of its own: Ctrl-C at the terminal is for us to handle, and to tell it in good order.
    const [program, all] = boundToUs(name, args);
    const child = spawn(program, all, { detached: true, stdio: ['ignore', log, log] });
    await new Promise<void>((started, failed) => {
      child.once('spawn', started);
      child.once('error', failed);
    });
    return new Program(name, child);
  } finally {
    closeSync(log);
  }
}
