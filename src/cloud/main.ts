/** `ips-cloud`: the control plane. Reads its configuration, starts the service, stops on SIGTERM and SIGINT. */
import { Command, CommanderError } from 'commander';
import { systemClock } from '../lib/clock.ts';
import { Doors } from '../lib/doors.ts';
import { Files } from '../lib/files.ts';
import { createLogger } from '../lib/logging.ts';
import { systemRandom } from '../lib/random.ts';
import { refusedBecause } from '../lib/usage.ts';
import { VERSION } from '../lib/version.ts';
import { errorText, IpsError, isIpsError, toIpsError } from '../protocol/errors.ts';
import { backUp, restore } from './backup.ts';
import { type CloudConfig, CONFIG_FLAGS, DEFAULT_CONFIG_FILE, loadConfig } from './config.ts';
import { startService } from './service.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

process.title = 'ips-cloud';
process.umask(0o077);

type Flags = Record<string, string | undefined>;
const doors = new Doors();
const files = new Files(doors);
const clock = systemClock();
const say = (text: string) => process.stdout.write(`${text}\n`);

function configOf(flags: Flags): CloudConfig {
  const camel = (flag: string) => flag.replace(/-(\w)/g, (_dash, letter: string) => letter.toUpperCase());
  const given = CONFIG_FLAGS.flatMap(({ flag }) => {
    const value = flags[camel(flag)];
    return value === undefined ? [] : [[flag, value] as const];
  });
  return loadConfig({ file: flags.config, environment: process.env, flags: Object.fromEntries(given) });
}

async function serve(flags: Flags): Promise<void> {
  const config = configOf(flags);
  const log = createLogger({ program: 'ips-cloud', ...config.log });
  const service = await startService(config, {
    clock,
    random: systemRandom(),
    doors,
    log,
    showAdminToken: async (token) => {
      if (flags.adminTokenFile) await files.writeDurably(flags.adminTokenFile, `${token.reveal()}\n`);
      else say(`First admin token (shown once): ${token.reveal()}`);
    },
  });
  const stop = () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1));
    service.stop().then(
      () => log.info('ips-cloud has stopped'),
      (error) => fail(error),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  const { url, pin } = service;
  if (flags.readyFile) await files.writeDurably(flags.readyFile, `${JSON.stringify({ url, pin })}\n`);
  say(`URL: ${url}\nPin: ${pin}`);
}

function fail(error: unknown): void {
  // Help or version was asked for, and printed.
  if (error instanceof CommanderError && error.exitCode === 0) return;
  const known = error instanceof CommanderError ? new IpsError('USAGE', refusedBecause(error)) : error;
  const failure = toIpsError(known);
  process.stderr.write(`${errorText(failure)}\n`);
  if (!isIpsError(known) && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exitCode = failure.code === 'USAGE' || failure.code === 'CONFIG_INVALID' ? EXIT_USAGE : EXIT_FAILED;
}

const EXAMPLES = `
Examples:
  ips-cloud serve --data-folder /var/lib/ips-cloud
  ips-cloud backup --to /backup/2026-11-23
  ips-cloud restore --from /backup/2026-11-23

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.`;

const program = new Command('ips-cloud').description('The control plane of the image portability service');
program
  .version(VERSION)
  .addHelpText('after', EXAMPLES)
  .configureOutput({ outputError: () => undefined })
  .exitOverride();

function command(name: string, description: string): Command {
  const made = program.command(name).description(description);
  made.option('--config <file>', `configuration, JSON (default: ${DEFAULT_CONFIG_FILE})`);
  for (const { flag, doc } of CONFIG_FLAGS) made.option(`--${flag} <value>`, doc);
  return made;
}

command('serve', 'run the service')
  .option('--ready-file <file>', 'write {"url", "pin"} here when the service listens')
  .option('--admin-token-file <file>', 'write the first admin token here (0600) instead of printing it')
  .action(serve);
command('backup', 'copy database and keys into a folder; the service may run')
  .requiredOption('--to <folder>', 'folder of the backup')
  .action(async (flags: Flags) => {
    await backUp(configOf(flags), flags.to ?? '', doors);
    say(`Backed up to ${flags.to}. It holds the wallet key: keep it as you keep the secrets themselves.`);
  });
command('restore', 'put a backup in place; the service must be stopped')
  .requiredOption('--from <folder>', 'folder of the backup')
  .action(async (flags: Flags) => {
    const epoch = await restore(configOf(flags), flags.from ?? '', doors, clock);
    say(`Restored from ${flags.from}. Lease tokens are of epoch ${epoch} from now on.`);
  });

program.parseAsync().catch(fail);
