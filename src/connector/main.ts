/**
 * `ips-connector`: the daemon of a resource location, and the commands that pair it. Each command is loaded when it is
 * asked for: the daemon stays small.
 */
import { Command, CommanderError } from 'commander';
import { isErrno } from '../lib/files.ts';
import { refusedBecause, several } from '../lib/usage.ts';
import { VERSION } from '../lib/version.ts';
import { errorText, IpsError, toIpsError } from '../protocol/errors.ts';
import { addConfigOptions } from './commands/options.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const EXAMPLES = `
Examples:
  ips-connector pair --cloud https://ips.example.com:8440 --pin sha256/… --code ABCD-EFGH
  ips-connector pair --cloud https://ips.example.com --ca /etc/ssl/corp-ca.pem
                                     shows a code and waits until an admin confirms it
  ips-connector run --config /etc/ips-connector/config.json
  ips-connector status

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.`;

/** @param main path of this program, for forking workers */
function program(main: string): Command {
  const all = new Command('ips-connector')
    .description('The connector of a resource location: dials the cloud service and runs its jobs here.')
    .version(VERSION)
    .addHelpText('after', EXAMPLES)
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  const command = (name: string, description: string) => addConfigOptions(all.command(name).description(description));

  command('run', 'runs the daemon until it is told to stop').action(
    async (flags) => await (await import('./commands/run.ts')).run(main, flags),
  );
  command('pair', 'makes this appliance a connector')
    .requiredOption('--cloud <url>', 'address of the cloud service, https://host[:port]')
    .option('--code <code>', 'pairing code from "ips connector pair"; - reads it from standard input')
    .option('--pin <pin>', 'trust the key with this pin, sha256/BASE64, whoever signed it; may be repeated', several)
    .option('--ca <file>', 'trust certificates that this CA signed (PEM)')
    .option('--name <name>', 'name that operators see (default: the host name)')
    .action(async (flags) => await (await import('./commands/pair.ts')).pair(flags));
  command('unpair', 'forgets the pairing and its keys').action(
    async (flags) => await (await import('./commands/pair.ts')).unpair(flags),
  );
  command('status', 'shows pairing, link and jobs').action(
    async (flags) => await (await import('./commands/status.ts')).status(flags),
  );
  all
    .command('worker <jobId> <token> <mode>', { hidden: true })
    .description('started by the daemon only')
    .action(
      async (jobId: string, token: string, mode: string) =>
        await (await import('./commands/worker.ts')).worker(jobId, token, mode),
    );
  return all;
}

process.title = 'ips-connector';
// A reader that has seen enough, such as head(1), is no failure.
process.stdout.on('error', (error) => process.exit(isErrno(error, 'EPIPE') ? 0 : EXIT_FAILED));
// Whatever this process creates is nobody else's to read.
process.umask(0o077);
try {
  await program(process.argv[1] ?? '').parseAsync();
} catch (error) {
  process.exitCode = fail(error);
}

/** Tells what went wrong and what to do. @returns the exit code */
function fail(error: unknown): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  const known = error instanceof CommanderError ? new IpsError('USAGE', refusedBecause(error)) : toIpsError(error);
  process.stderr.write(`${errorText(known)}\n`);
  return known.code === 'USAGE' || known.code === 'CONFIG_INVALID' ? EXIT_USAGE : EXIT_FAILED;
}
