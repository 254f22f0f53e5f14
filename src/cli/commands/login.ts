/** `ips login`, `ips logout`, `ips status`. */
import type { Command } from 'commander';
import { IpsClient } from '../../client/client.ts';
import { parseCloudUrl } from '../../client/cloud-url.ts';
import { trustOf } from '../../client/trust.ts';
import { several } from '../../lib/usage.ts';
import { IpsError } from '../../protocol/errors.ts';
import { type CommonOptions, type Context, connect, print } from '../context.ts';
import { readSecret } from '../secret-input.ts';
import { facts } from '../table.ts';

/** One word, as `ips-cloud` and `ips token create` print it. */
const TOKEN = /^[\x21-\x7e]+$/;

interface LoginOptions extends CommonOptions {
  url: string;
  pin?: string[];
  ca?: string;
  tokenFile?: string;
  tokenStdin?: boolean;
}

export function addLoginCommands(program: Command, context: Context): void {
  program
    .command('login')
    .description('log in to a cloud service and make it the current one')
    .requiredOption('--url <url>', 'address of the cloud service: https://host[:port]')
    .option('--pin <pin>', 'trust the key with this pin (sha256/…), as ips-cloud printed it; may be repeated', several)
    .option('--ca <file>', 'trust certificates that this CA (PEM) signed')
    .option('--token-file <file>', 'read the API token from a file')
    .option('--token-stdin', 'read the API token from standard input')
    .addHelpText(
      'after',
      `
Without --pin or --ca the system's certificate authorities are trusted. The token is asked for without echo
unless a file or standard input gives it. --deployment gives the configuration a name; its host otherwise.

Examples:
  ips login --url https://ips.example.com:8440 --pin sha256/kq3…=
  ips login --url https://ips.example.com --deployment eu --token-file ~/token`,
    )
    .action(async (_options: unknown, command: Command) => login(context, command.optsWithGlobals<LoginOptions>()));

  program
    .command('logout')
    .description('forget the token of a cloud service')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const { name } = context.deployments.pick(options.deployment);
      const current = await context.deployments.remove(name);
      const next = current === undefined ? '' : ` The current cloud service is ${current} now.`;
      print(context, options, { deployment: name, current }, () => `Logged out of ${name}.${next}`);
    });

  program
    .command('status')
    .description('the cloud service, who you are to it, and what is going on')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const { name, url } = context.deployments.pick(options.deployment);
      const status = await connect(context, options).status();
      print(context, options, { deployment: name, url: url.origin, ...status }, () =>
        facts([
          ['deployment', `${name} (${url.origin})`],
          ['version', status.version],
          ['customer', status.customer],
          ['your role', status.role],
          ['connectors', `${status.connectors.connected} of ${status.connectors.total} connected`],
          [
            'jobs',
            Object.entries(status.jobs)
              .filter(([, count]) => count > 0)
              .map(([state, count]) => `${count} ${state}`)
              .join(', ') || 'none',
          ],
        ]),
      );
    });
}

async function login(context: Context, options: LoginOptions): Promise<void> {
  const url = parseCloudUrl(options.url);
  const trust = trustOf(options);
  const source = { file: options.tokenFile, stdin: options.tokenStdin };
  const token = await readSecret('token', source, context.interrupted);
  if (!TOKEN.test(token.reveal()))
    throw new IpsError('USAGE', 'What was given as the API token has blanks or line breaks in it.');
  const status = await new IpsClient({ url, trust, token }, context).status();
  const name = options.deployment ?? url.host;
  await context.deployments.store({ name, url, trust, token });
  print(
    context,
    options,
    { deployment: name, ...status },
    () => `Logged in to ${name} as ${status.role} of ${status.customer}.`,
  );
}
