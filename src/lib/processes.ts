/**
 * Child processes: the one place that starts them. No shell, ever; a secret goes to standard input or a 0600 file,
 * never into the arguments or the environment.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { DoorName, Doors } from './doors.ts';

/** Output kept of a child, in bytes: enough for any message, bounded against a child that floods. */
const MAX_OUTPUT = 8 * 1024 * 1024;

export interface Ran {
  /** Exit code, or undefined when a signal ended the child. */
  code: number | undefined;
  signal: string | undefined;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  door: DoorName;
  /** The door's point, for example `qemu-img.info`. */
  point: string;
  input?: string | undefined;
  cwd?: string | undefined;
  env?: Readonly<Record<string, string>> | undefined;
  signal?: AbortSignal | undefined;
  /** Takes standard output line by line, however long it gets; `stdout` of the answer then stays empty. */
  eachLine?: ((line: string) => void) | undefined;
}

export class Processes {
  readonly #doors: Doors;

  constructor(doors: Doors) {
    this.#doors = doors;
  }

  /**
   * Runs a program to its end and gives what it printed; a failing exit code is an answer, not an exception.
   * @throws Error with code ENOENT when the program is not installed; the signal's reason when it aborts
   */
  async run(program: string, args: readonly string[], options: RunOptions): Promise<Ran> {
    return await this.#doors.pass(options.door, options.point, () => collect(program, args, options));
  }

  /**
   * Starts a program that outlives this process: its own session, no shared descriptors but the log file.
   * @returns its process id
   */
  async startDetached(
    program: string,
    args: readonly string[],
    options: { door: DoorName; point: string; logFile: string; cwd?: string },
  ): Promise<number> {
    return await this.#doors.pass(options.door, options.point, async () => {
      const log = openSync(options.logFile, 'a', 0o600);
      try {
        const child = spawn(program, [...args], { detached: true, stdio: ['ignore', log, log], cwd: options.cwd });
        await new Promise<void>((resolve, reject) => {
          child.once('spawn', resolve);
          child.once('error', reject);
        });
        child.unref();
        if (child.pid === undefined) throw new Error(`${program} gave no process id`);
        return child.pid;
      } finally {
        closeSync(log);
      }
    });
  }

  /** Starts another Node program with a message channel to it. The child sees the channel close when we die. */
  forkModule(module: string, args: readonly string[], options: { door: DoorName; point: string }): ChildProcess {
    return this.#doors.passSync(options.door, options.point, () =>
      fork(module, [...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'json' }),
    );
  }
}

function collect(program: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) {
      reject(options.signal.reason);
      return;
    }
    const child = spawn(program, [...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: options.cwd,
      env: options.env ? { ...process.env, ...options.env } : process.env,
    });
    const stdout = options.eachLine ? split(child.stdout, options.eachLine) : gather(child.stdout);
    const stderr = gather(child.stderr);
    const aborted = () => child.kill('SIGKILL');
    options.signal?.addEventListener('abort', aborted, { once: true });
    child.once('error', (error) => {
      options.signal?.removeEventListener('abort', aborted);
      reject(error);
    });
    child.once('close', (code, signal) => {
      options.signal?.removeEventListener('abort', aborted);
      if (options.signal?.aborted) reject(options.signal.reason);
      else resolve({ code: code ?? undefined, signal: signal ?? undefined, stdout: stdout(), stderr: stderr() });
    });
    // A child that ends before it has read its input closes the pipe; its exit code tells more than EPIPE would.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}

function gather(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let kept = 0;
  stream.on('data', (chunk: Buffer) => {
    if (kept < MAX_OUTPUT) chunks.push(chunk);
    kept += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

/** A line longer than this is cut, in characters: no program that we read line by line prints one. */
const MAX_LINE = 64 * 1024;

function split(stream: NodeJS.ReadableStream, eachLine: (line: string) => void): () => string {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = (lines.pop() ?? '').slice(0, MAX_LINE);
    for (const line of lines) eachLine(line);
  });
  return () => {
    if (rest !== '') eachLine(rest);
    return '';
  };
}
