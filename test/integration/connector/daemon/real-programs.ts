/** The real cloud service and the real connector, each in its own process, and an administrator's view of the cloud. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { pinnedTo } from '../../../harness/tls-echo.ts';

const SOURCE = resolve(import.meta.dirname, '../../../../src');
const LIMIT_MS = 30_000;

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export class RealPrograms {
  readonly folder = mkdtempSync(join(tmpdir(), 'ips-real-'));
  readonly #processes = new Set<ChildProcess>();
  #cloud: ChildProcess | undefined;
  url = '';
  pin = '';
  #token = '';

  async startCloud(): Promise<void> {
    const ready = join(this.folder, 'ready.json');
    const port = this.url === '' ? 0 : Number(new URL(this.url).port);
    const config = join(this.folder, 'cloud.json');
    writeFileSync(
      config,
      JSON.stringify({ listen: { address: '127.0.0.1', port }, dataFolder: join(this.folder, 'cloud') }),
    );
    writeFileSync(ready, '');
    const tokenFile = join(this.folder, 'token');
    this.#cloud = this.#start('cloud', [
      'serve',
      '--config',
      config,
      '--ready-file',
      ready,
      '--admin-token-file',
      tokenFile,
    ]);
    await until('the cloud listens', () => readFileSync(ready, 'utf8') !== '');
    Object.assign(this, JSON.parse(readFileSync(ready, 'utf8')));
    this.#token = readFileSync(tokenFile, 'utf8').trim();
  }

  async killCloud(): Promise<void> {
    if (this.#cloud) await kill(this.#cloud, 'SIGKILL');
  }

  /** An administrator's request. */
  async api<T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<T> {
    const port = Number(new URL(this.url).port);
    const connect = await pinnedTo(port, { kind: 'pins', pins: [this.pin] }).options(AbortSignal.timeout(30_000));
    const dispatcher = new Agent({ connect });
    try {
      const { statusCode, body: answer } = await request(new URL(path, this.url), {
        method,
        dispatcher,
        headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
        body: body ? JSON.stringify(body) : null,
      });
      const content = await answer.text();
      if (statusCode >= 300) throw new Error(`${method} ${path}: ${statusCode} ${content}`);
      return JSON.parse(content);
    } finally {
      await dispatcher.close();
    }
  }

  async waitForState(name: string, state: string): Promise<void> {
    await until(`${name} is ${state}`, async () => {
      const connectors = await this.api<{ name: string; state: string }[]>('GET', '/v1/connectors');
      return connectors.some((each) => each.name === name && each.state === state);
    });
  }

  connector(name: string, args: readonly string[]): ChildProcess {
    const [command = '', ...rest] = args;
    return this.#start('connector', [
      command,
      '--state-folder',
      join(this.folder, name),
      '--log-level',
      'debug',
      ...rest,
    ]);
  }

  /** Runs a command of the connector to its end. */
  async ran(name: string, args: readonly string[], input = ''): Promise<Ran> {
    const child = this.connector(name, args);
    child.stdin?.end(input);
    const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => (stream ? text(stream) : ''));
    const [code] = await once(child, 'exit');
    return { code, stdout: (await stdout) ?? '', stderr: (await stderr) ?? '' };
  }

  async stop(): Promise<void> {
    for (const child of this.#processes) await kill(child, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  #start(program: 'cloud' | 'connector', args: readonly string[]): ChildProcess {
    const child = spawn(process.execPath, [join(SOURCE, program, 'main.ts'), ...args], {
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    this.#processes.add(child);
    child.once('exit', () => this.#processes.delete(child));
    return child;
  }
}

export async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, 'exit');
  child.kill(signal);
  const [code] = await ended;
  return code;
}

/** Polls until it is so. @throws Error naming what did not come true in time */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < LIMIT_MS; waited += 100) {
    if (await isSo()) return;
    await sleep(100);
  }
  throw new Error(`not in ${LIMIT_MS / 1000} s: ${what}`);
}
