/** `ips export qemu`: a disk image on the connector's machine to a VHDX or VHD file on an SMB share. */
import { type Command, Option } from 'commander';
import { DISK_FORMATS, type DiskFormat, qemuSourceSchema } from '../../protocol/job.ts';
import type { CreateJob } from '../../protocol/rest.ts';
import { type CommonOptions, type Context, connect } from '../context.ts';
import { announceJob, followToEnd } from '../follow.ts';
import { parseDuration } from '../quantities.ts';
import { startJob } from '../start.ts';

interface ExportOptions extends CommonOptions {
  location: string;
  disk: string;
  diskFormat?: 'raw' | 'qcow2' | 'vmdk' | 'vhdx';
  to: string;
  name: string;
  format: DiskFormat;
  credential: string;
  dryRun?: boolean;
  timeout?: number;
  queueTimeout?: number;
  cleanupTimeout?: number;
  note?: string;
  idempotencyKey?: string;
  wait: boolean;
}

export function addExportCommands(program: Command, context: Context): void {
  const exportCommand = program.command('export').description('export a disk to a file on an SMB share');
  exportCommand
    .command('qemu')
    .description('a raw, qcow2, VMDK or VHDX file on the machine of a connector')
    .requiredOption('--location <name>', 'resource location of the connector')
    .requiredOption('--disk <path>', 'the disk image, an absolute path on the connector machine')
    .addOption(
      new Option('--disk-format <format>', 'its format, when the extension does not say').choices(
        qemuSourceSchema.shape.format.unwrap().options,
      ),
    )
    .requiredOption('--to <location>', 'smb://host[:port]/share[/folder]')
    .requiredOption('--name <name>', 'name of the file, without extension')
    .addOption(new Option('--format <format>', 'format of the file').choices(DISK_FORMATS).default('vhdx'))
    .requiredOption('--credential <name>', 'credential in the wallet for the share')
    .option('--dry-run', 'check everything, create nothing')
    .option('--timeout <duration>', 'limit from acceptance to the commit, such as 4h', parseDuration)
    .option('--queue-timeout <duration>', 'limit for waiting for a connector', parseDuration)
    .option('--cleanup-timeout <duration>', 'limit for cleaning up', parseDuration)
    .option('--note <text>', 'free text that is kept with the job')
    .option('--idempotency-key <key>', 'the same key never starts two jobs; a fresh one otherwise')
    .option('--no-wait', 'return as soon as the job is accepted')
    .addHelpText(
      'after',
      `
Waits for the end and shows the progress. Ctrl-C stops waiting; the job goes on.

Examples:
  ips export qemu --location london --disk /var/lib/libvirt/images/golden.qcow2 \\
      --to smb://files.example.com/images --name golden --credential files
  ips export qemu … --dry-run
  ips export qemu … --no-wait --json`,
    )
    .action(async (_options: unknown, command: Command) =>
      exportQemu(context, command.optsWithGlobals<ExportOptions>()),
    );
}

async function exportQemu(context: Context, options: ExportOptions): Promise<void> {
  const client = connect(context, options);
  const job = await startJob(context, client, request(options), options.idempotencyKey);
  if (!options.wait) {
    announceJob(context, options, job);
    return;
  }
  await followToEnd(context, options, client, job.id);
}

function request(options: ExportOptions): CreateJob {
  const { location, disk, diskFormat, to, name, format, credential, dryRun, note } = options;
  return {
    resourceLocation: location,
    parameters: {
      type: 'export',
      source: { platform: 'qemu', path: disk, ...(diskFormat ? { format: diskFormat } : {}) },
      target: { location: to, name, format, credential },
      dryRun: dryRun ?? false,
    },
    limits: {
      timeoutSeconds: options.timeout,
      queueTimeoutSeconds: options.queueTimeout,
      cleanupTimeoutSeconds: options.cleanupTimeout,
    },
    ...(note === undefined ? {} : { note }),
  };
}
