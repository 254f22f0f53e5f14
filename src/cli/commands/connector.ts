/** `ips connector …`: pairing appliances and looking after connectors. */
import type { Command } from 'commander';
import { type CommonOptions, type Context, connect, print } from '../context.ts';
import type { Deployment } from '../deployments.ts';
import { showTime } from '../quantities.ts';
import { facts, table } from '../table.ts';

interface PlaceOptions extends CommonOptions {
  location: string;
  fingerprint?: string;
}

export function addConnectorCommands(program: Command, context: Context): void {
  const connector = program.command('connector').description('connectors: pair them and look after them');
  addPairing(connector, context);

  connector
    .command('list')
    .description('list connectors')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      print(context, options, await connect(context, options).connectors(), (connectors) =>
        table(
          ['name', 'location', 'state', 'platforms', 'jobs', 'version', 'last seen'],
          connectors.map((each) => [
            each.name,
            each.resourceLocation,
            each.state,
            each.platforms.join(', '),
            `${each.runningJobs} of ${each.slots}`,
            each.version,
            each.state === 'connected' ? 'now' : showTime(each.lastSeenAt),
          ]),
          'No connectors yet. Pair one: ips connector pair --location NAME',
        ),
      );
    });

  connector
    .command('show <name>')
    .description('one connector')
    .action(async (name: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      print(context, options, await connect(context, options).connector(name), (each) =>
        facts([
          ['name', each.name],
          ['location', each.resourceLocation],
          ['state', each.state],
          ['platforms', each.platforms.join(', ')],
          ['jobs', `${each.runningJobs} of ${each.slots} slots`],
          ['version', each.version],
          ['fingerprint', each.fingerprint],
          ['paired', showTime(each.pairedAt)],
          ['last seen', showTime(each.lastSeenAt)],
          ['id', each.id],
        ]),
      );
    });

  const change = (
    verb: string,
    about: string,
    done: string,
    act: (client: ReturnType<typeof connect>, name: string) => Promise<unknown>,
  ) =>
    connector
      .command(`${verb} <name>`)
      .description(about)
      .action(async (name: string, _options: unknown, command: Command) => {
        const options = command.optsWithGlobals<CommonOptions>();
        const answer = await act(connect(context, options), name);
        print(context, options, answer ?? {}, () => `${name}: ${done}`);
      });
  change('trust', 'trust a connector again of which a clone was seen (role admin)', 'trusted', (client, name) =>
    client.trustConnector(name),
  );
  change('lost', 'declare that a connector will never come back', 'declared lost', (client, name) =>
    client.loseConnector(name),
  );
  change('remove', 'remove a connector', 'removed', (client, name) => client.removeConnector(name));
}

function addPairing(connector: Command, context: Context): void {
  connector
    .command('pair')
    .description('issue a pairing code: 15 minutes, single use (role admin)')
    .requiredOption('--location <name>', 'resource location of the new connector')
    .addHelpText(
      'after',
      '\nExample:\n  ips connector pair --location london\n  then, on the appliance, what it prints',
    )
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<PlaceOptions>();
      const deployment = context.deployments.pick(options.deployment);
      const created = await connect(context, options).createPairingCode(options.location);
      print(context, options, created, () =>
        [
          `Code ${created.code}, until ${showTime(created.expiresAt)}. On the appliance, run:`,
          ...pairingCommand(deployment, created.code),
        ].join('\n'),
      );
    });

  connector
    .command('pending')
    .description('appliances that show a code and wait for a confirmation (role admin)')
    .option('--code <code>', 'only the one that shows this code; a cloud service of several customers asks for it')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { code?: string }>();
      print(context, options, await connect(context, options).pendingPairings(options.code), (pending) =>
        table(
          ['code', 'appliance', 'fingerprint', 'until'],
          pending.map((each) => [each.code, each.applianceName, each.fingerprint, showTime(each.expiresAt)]),
          'No appliance is waiting.',
        ),
      );
    });

  connector
    .command('confirm <code>')
    .description('confirm the code that an appliance shows, after comparing its fingerprint (role admin)')
    .requiredOption('--location <name>', 'resource location of the new connector')
    .option('--fingerprint <text>', 'refuse unless the appliance key has this fingerprint')
    .addHelpText('after', '\nExamples:\n  ips connector pending\n  ips connector confirm K7MP-2QXT --location london')
    .action(async (code: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<PlaceOptions>();
      const { location, fingerprint } = options;
      const confirmed = await connect(context, options).confirmPairing(code, {
        resourceLocation: location,
        fingerprint,
      });
      print(
        context,
        options,
        confirmed,
        () => `${confirmed.name} (${confirmed.fingerprint}) is a connector of ${location} now.`,
      );
    });
}

/** The lines to run on the appliance, which must trust the cloud service as this machine does. */
export function pairingCommand({ url, trust }: Pick<Deployment, 'url' | 'trust'>, code: string): string[] {
  const run = (how: string) => `  ips-connector pair --cloud ${url.origin}${how} --code ${code}`;
  if (trust.kind === 'pins') return [run(trust.pins.map((pin) => ` --pin ${pin}`).join(''))];
  if (trust.ca === undefined) return [run('')];
  return [
    run(' --ca ips-ca.pem'),
    'There, ips-ca.pem is a copy of the CA certificate that "ips login --ca" was given here.',
  ];
}
