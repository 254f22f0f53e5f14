/** `ips token …` and `ips audit`: for admins. */
import { type Command, Option } from 'commander';
import { ROLES, type Role } from '../../protocol/rest.ts';
import { type CommonOptions, type Context, connect, print } from '../context.ts';
import { parseCount, showTime } from '../quantities.ts';
import { table } from '../table.ts';

export function addAdministrationCommands(program: Command, context: Context): void {
  const token = program.command('token').description('API tokens of operators');

  token
    .command('create <name>')
    .description('create an API token; it is shown once')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .addHelpText('after', '\nExample:\n  ips token create night-shift --role operator')
    .action(async (name: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { role: Role }>();
      const created = await connect(context, options).createApiToken(name, options.role);
      print(context, options, created, () => `${created.token}\nThis is the only time that it is shown.`);
    });

  token
    .command('list')
    .description('list API tokens')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      print(context, options, await connect(context, options).apiTokens(), (tokens) =>
        table(
          ['name', 'role', 'created', 'last used', 'id'],
          tokens.map((each) => [each.name, each.role, showTime(each.createdAt), showTime(each.lastUsedAt), each.id]),
          'No API tokens.',
        ),
      );
    });

  token
    .command('delete <id>')
    .description('revoke an API token')
    .action(async (id: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      await connect(context, options).deleteApiToken(id);
      print(context, options, {}, () => `Revoked ${id}.`);
    });

  program
    .command('audit')
    .description('who did what, newest first')
    .option('--limit <n>', 'how many rows, 1000 at most', parseCount, 50)
    .option('--before <n>', 'only rows older than the one with this number', parseCount)
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { limit: number; before?: number }>();
      print(context, options, await connect(context, options).audit(options.limit, options.before), (rows) =>
        table(
          ['no', 'at', 'actor', 'action', 'subject', 'detail'],
          rows.map((row) => [
            String(row.id),
            showTime(row.at),
            row.actor,
            row.action,
            row.subject,
            Object.keys(row.detail).length > 0 ? JSON.stringify(row.detail) : '',
          ]),
          'Nothing yet.',
        ),
      );
    });
}
