/** The operator's tool `ips`. */
import { CommanderError } from 'commander';
import { systemClock } from '../lib/clock.ts';
import { Doors } from '../lib/doors.ts';
import { Files, isErrno } from '../lib/files.ts';
import { systemRandom } from '../lib/random.ts';
import { IpsError, isIpsError, toIpsError } from '../protocol/errors.ts';
import type { Context } from './context.ts';
import { Deployments } from './deployments.ts';
import { EXIT, exitCodeOfError } from './exit-codes.ts';
import { plainError, plainJson } from './plain-text.ts';
import { createProgram } from './program.ts';
import { asUsageError } from './usage.ts';

process.title = 'ips';
const interruption = new AbortController();
process.on('SIGINT', () => {
  // The second Ctrl-C does not wait for anything.
  if (interruption.signal.aborted) process.exit(EXIT.interrupted);
  interruption.abort(new IpsError('INTERRUPTED'));
});
// A reader that has seen enough, such as head(1), is no failure, and the exit code goes on to say what became of the job.
process.stdout.on('error', (error) => {
  if (!isErrno(error, 'EPIPE')) process.exit(EXIT.failed);
});
process.stderr.on('error', () => undefined);
const doors = new Doors();
const context: Context = {
  deployments: new Deployments(new Files(doors), process.env),
  doors,
  clock: systemClock(),
  random: systemRandom(),
  out: process.stdout,
  err: process.stderr,
  interrupted: interruption.signal,
  setExitCode: (code) => {
    process.exitCode = code;
  },
};

const program = createProgram(context);
try {
  await program.parseAsync();
} catch (error) {
  // Help or version was asked for, and printed.
  if (!(error instanceof CommanderError && error.exitCode === 0)) fail(failureOf(error));
}

function failureOf(error: unknown): IpsError {
  if (error instanceof CommanderError) return asUsageError(error);
  // What Ctrl-C broke off may put it in words of its own.
  return toIpsError(interruption.signal.aborted && !isIpsError(error) ? interruption.signal.reason : error);
}

function fail(failure: IpsError): void {
  if (program.opts().json) process.stdout.write(`${plainJson({ error: failure.report() }, 2)}\n`);
  process.stderr.write(`${plainError(failure)}\n`);
  process.exitCode = exitCodeOfError(failure);
}
