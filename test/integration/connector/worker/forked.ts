/** Runs a site's worker as a forked process, with the test as its supervisor and as the host of its platform. */
import { type ChildProcess, fork } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { ToSupervisor } from '../../../../src/connector/worker-messages.ts';
import { toIpsError } from '../../../../src/protocol/errors.ts';
import { JOB_ID, type Site, TOKEN } from './site.ts';
import type { KillPoint, WorkerOrder } from './worker-process.ts';

/**
 * Bundles the worker's process into one file, as it is shipped: it starts in a third of the time.
 * @returns path of the program
 */
export async function bundleWorker(folder: string): Promise<string> {
  const outfile = join(folder, 'worker-process.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'worker-process.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  return outfile;
}

export interface Passage {
  door: string;
  point: string;
  nth: number;
}

export class ForkedWorkers {
  readonly passages: Passage[] = [];
  readonly #site: Site;
  readonly #server: Server;
  readonly #program: string;
  #child: ChildProcess | undefined;

  static async open(site: Site, program: string): Promise<ForkedWorkers> {
    const server = createServer(async (request, response) => {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      const [method, ...args] = JSON.parse(text) as [string, ...unknown[]];
      try {
        response.end(JSON.stringify({ answer: await site.platform.call(method, ...args) }));
      } catch (error) {
        response.end(JSON.stringify({ code: toIpsError(error).code }));
      }
    });
    await new Promise<void>((resolve) => server.listen(join(site.folder, 'platform.sock'), resolve));
    return new ForkedWorkers(site, server, program);
  }

  private constructor(site: Site, server: Server, program: string) {
    this.#program = program;
    this.#site = site;
    this.#server = server;
  }

  /** Runs one worker to its end. @returns the signal that ended it, or its exit code */
  async run(how: { kill?: KillPoint; record?: boolean; mode?: WorkerOrder['mode'] } = {}): Promise<string | number> {
    const order: WorkerOrder = {
      folder: this.#site.folder,
      platformSocket: join(this.#site.folder, 'platform.sock'),
      jobId: JOB_ID,
      token: TOKEN,
      mode: how.mode ?? 'run',
      ...(how.kill ? { kill: how.kill } : {}),
      ...(how.record ? { record: true } : {}),
    };
    const child = fork(this.#program, [JSON.stringify(order)], {
      serialization: 'json',
      execArgv: [],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.#child = child;
    child.stderr?.on('data', (chunk) => {
      this.#site.logged += String(chunk);
    });
    child.on('message', (message) => {
      const told = message as ToSupervisor | ({ type: 'passage' } & Passage);
      if (told.type === 'passage') this.passages.push({ door: told.door, point: told.point, nth: told.nth });
      else void this.#site.answer(told, (answer) => child.connected && child.send(answer));
    });
    return await new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code ?? -1)));
  }

  /** Kills the running worker, hard. */
  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  /** Closes the channel, as the end of the supervisor does. */
  disconnect(): void {
    this.#child?.disconnect();
  }

  async close(): Promise<void> {
    this.#child?.kill('SIGKILL');
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
