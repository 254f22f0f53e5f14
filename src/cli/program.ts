/** The whole command line of `ips`, without the process around it. */
import { Command } from 'commander';
import { VERSION } from '../lib/version.ts';
import { addAdministrationCommands } from './commands/administration.ts';
import { addConnectorCommands } from './commands/connector.ts';
import { addCredentialCommands } from './commands/credential.ts';
import { addExportCommands } from './commands/export.ts';
import { addJobCommands } from './commands/job.ts';
import { addLocationCommands } from './commands/location.ts';
import { addLoginCommands } from './commands/login.ts';
import type { Context } from './context.ts';

const HELP = `
Exit codes: 0 done; 1 refused or failed; 2 wrong usage; 3 the cloud service cannot be reached or is not trusted;
4 the job was cancelled; 130 interrupted.

Examples:
  ips login --url https://ips.example.com:8440 --pin sha256/…
  ips connector pair --location london
  ips credential set files --username svc-images --allow smb://files.example.com/images
  ips export qemu --location london --disk /images/golden.qcow2 --to smb://files.example.com/images \\
      --name golden --credential files`;

export function createProgram(context: Context): Command {
  const program = new Command('ips')
    .description('move Windows master images, with proof')
    .version(VERSION)
    .option('--json', 'print JSON on standard output, and nothing else there')
    .option('--deployment <name>', 'name or host of a configured cloud service')
    .addHelpText('after', HELP)
    .configureHelp({ showGlobalOptions: true })
    // Whoever runs the program prints its errors, which JSON may have been asked for.
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  addLoginCommands(program, context);
  addLocationCommands(program, context);
  addConnectorCommands(program, context);
  addCredentialCommands(program, context);
  addExportCommands(program, context);
  addJobCommands(program, context);
  addAdministrationCommands(program, context);
  return program;
}
