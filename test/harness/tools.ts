/**
 * Running other programs in tests and fixtures: to the end, with their output kept, and a failure that says what they said.
 * Secrets go in by `input` (standard input) only; arguments end up in error messages.
 */
import { spawn } from 'node:child_process';

export interface ToolResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolOptions {
  /** Written to the program's standard input, which is then closed. */
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** In a session of its own: Ctrl-C at the terminal does not reach it. */
  readonly apart?: boolean;
  /** Kills the program (SIGKILL) when it aborts; the run then rejects. */
  readonly signal?: AbortSignal;
}

/** A program could not be started, or ended with another code than 0. */
export class ToolFailed extends Error {
  override readonly name = 'ToolFailed';
  readonly result: ToolResult;

  constructor(commandLine: string, result: ToolResult) {
    super(`${commandLine} ended with ${result.code}: ${(result.stderr || result.stdout).trim()}`);
    this.result = result;
  }
}

/** Runs a program and returns its output whatever its exit code (a death by signal counts as -1). Throws when it cannot be started. */
export async function tryTool(
  program: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<ToolResult> {
  const { promise, resolve, reject } = Promise.withResolvers<ToolResult>();
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: options.env ?? process.env,
    cwd: options.cwd,
    detached: options.apart ?? false,
    signal: options.signal,
    killSignal: 'SIGKILL',
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // Wait for the end also of a program that is being killed; one that could not be started has its end at once.
  let failure: Error | undefined;
  child.on('error', (error) => {
    failure = error;
  });
  child.on('close', (code) => {
    if (failure !== undefined) return reject(failure);
    return resolve({
      code: code ?? -1,
      stdout: Buffer.concat(stdout).toString(),
      stderr: Buffer.concat(stderr).toString(),
    });
  });
  // A program that does not read its input to the end closes the pipe: its exit code tells the story, not EPIPE.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  return promise;
}

/** Runs a program and returns its standard output. Throws {@link ToolFailed} when it does not end with 0. */
export async function runTool(program: string, args: readonly string[], options: ToolOptions = {}): Promise<string> {
  const result = await tryTool(program, args, options);
  if (result.code !== 0) throw new ToolFailed([program, ...args].join(' '), result);
  return result.stdout;
}
