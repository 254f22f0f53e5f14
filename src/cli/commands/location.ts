/** `ips location …`: resource locations. */
import type { Command } from 'commander';
import { type CommonOptions, type Context, connect, print } from '../context.ts';
import { showTime } from '../quantities.ts';
import { table } from '../table.ts';

export function addLocationCommands(program: Command, context: Context): void {
  const location = program.command('location').description('resource locations: places with a network of their own');

  location
    .command('create <name>')
    .description('create a resource location')
    .addHelpText('after', '\nExample:\n  ips location create london')
    .action(async (name: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const created = await connect(context, options).createLocation(name);
      print(
        context,
        options,
        created,
        () => `Created ${created.name}. Pair a connector: ips connector pair --location "${created.name}"`,
      );
    });

  location
    .command('list')
    .description('list resource locations')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      print(context, options, await connect(context, options).locations(), (locations) =>
        table(
          ['name', 'connectors', 'created', 'id'],
          locations.map(({ name, connectors, createdAt, id }) => [name, String(connectors), showTime(createdAt), id]),
          'No resource locations yet. Create one: ips location create NAME',
        ),
      );
    });

  location
    .command('delete <name>')
    .description('delete a resource location that has no connectors')
    .action(async (name: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      await connect(context, options).deleteLocation(name);
      print(context, options, {}, () => `Deleted ${name}.`);
    });
}
