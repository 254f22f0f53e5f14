/** The operator's tool `ips`. */
import { CommanderError } from 'commander';
import { systemClock } from '../lib/clock.ts';
import { Doors } from '../lib/doors.ts';
import { Files, isErrno } from '../lib/files.ts';
import { systemRandom } from '../lib/random.ts';
import { errorText, toIpsError } from '../protocol/errors.ts';
import type { Context } from './context.ts';
import { Deployments } from './deployments.ts';
import { EXIT, exitCodeOfError } from './exit-codes.ts';
import { createProgram } from './program.ts';

process.title = 'ips';
const interruption = new AbortController();
process.on('SIGINT', () => {
  // The second Ctrl-C does not wait for anything.
  if (interruption.signal.aborted) process.exit(EXIT.interrupted);
  interruption.abort(new Error('interrupted'));
});
// A reader that has seen enough, such as head(1), is no failure.
process.stdout.on('error', (error) => process.exit(isErrno(error, 'EPIPE') ? EXIT.ok : EXIT.failed));
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
  if (interruption.signal.aborted) {
    process.stderr.write('Interrupted. What was asked for may have been done all the same.\n');
    process.exitCode = EXIT.interrupted;
  } else if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  else {
    const failure = toIpsError(error);
    if (program.opts().json) process.stdout.write(`${JSON.stringify({ error: failure.report() }, undefined, 2)}\n`);
    process.stderr.write(`${errorText(failure)}\n`);
    process.exitCode = exitCodeOfError(failure);
  }
}
