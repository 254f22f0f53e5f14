/** `ips credential …`: the wallet. Secrets go in; they never come out. */
import type { Command } from 'commander';
import { several } from '../../lib/usage.ts';
import { type CommonOptions, type Context, connect, print } from '../context.ts';
import { showTime } from '../quantities.ts';
import { readSecret } from '../secret-input.ts';
import { table } from '../table.ts';

interface SetOptions extends CommonOptions {
  username: string;
  domain?: string;
  allow: string[];
  passwordFile?: string;
  passwordStdin?: boolean;
}

export function addCredentialCommands(program: Command, context: Context): void {
  const credential = program.command('credential').description('credentials in the wallet');

  credential
    .command('set <name>')
    .description('store a user name and password, or replace them')
    .requiredOption('--username <name>', 'user name')
    .option('--domain <domain>', 'Windows domain of the user')
    .requiredOption(
      '--allow <target>',
      'host or share it may be used for, smb://host[:port][/share]; may be repeated',
      several,
    )
    .option('--password-file <file>', 'read the password from a file')
    .option('--password-stdin', 'read the password from standard input')
    .addHelpText(
      'after',
      `
The password is asked for without echo unless a file or standard input gives it.

Examples:
  ips credential set files --username svc-images --domain CORP --allow smb://files.corp.example/images
  ips credential set files --username svc-images --allow smb://files --password-file /run/secrets/files`,
    )
    .action(async (name: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<SetOptions>();
      const source = { file: options.passwordFile, stdin: options.passwordStdin };
      const password = await readSecret('password', source, context.interrupted);
      const { username, domain, allow: allowedTargets } = options;
      const stored = await connect(context, options).putCredential(name, {
        secret: { type: 'UsernamePassword', username, password: password.reveal(), ...(domain ? { domain } : {}) },
        allowedTargets,
      });
      print(
        context,
        options,
        stored,
        () => `Stored ${name}, version ${stored.version}, for ${stored.allowedTargets.join(', ')}.`,
      );
    });

  credential
    .command('list')
    .description('list credentials, without their secrets')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      print(context, options, await connect(context, options).credentials(), (credentials) =>
        table(
          ['name', 'type', 'version', 'allowed targets', 'updated'],
          credentials.map((each) => [
            each.name,
            each.type,
            String(each.version),
            each.allowedTargets.join(', '),
            showTime(each.updatedAt),
          ]),
          'No credentials yet. Store one: ips credential set NAME --username U --allow smb://HOST',
        ),
      );
    });

  credential
    .command('delete <name>')
    .description('delete a credential')
    .action(async (name: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      await connect(context, options).deleteCredential(name);
      print(context, options, {}, () => `Deleted ${name}.`);
    });
}
