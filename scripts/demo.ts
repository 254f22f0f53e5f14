/**
 * The main job, for real, on this machine: a file server that demands SMB3 with encryption, a cloud service, a paired
 * connector, a credential in the wallet, and an export of a disk through a booted engine. Then an independent judge
 * (qemu-img) compares the file with the source, and the host is compared with what it was before.
 *
 * DISK=/path/to/image exports that disk instead of the sample; KEEP=/path/to/folder keeps the result.
 */

import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { sampleDisk } from '../test/fixtures/sample-disk.ts';
import { Deployment } from '../test/harness/deployment.ts';
import { captureHostState, compareHostState, describeHostItem } from '../test/harness/host-state.ts';
import { type Samba, startSamba } from '../test/harness/samba.ts';
import { runTool } from '../test/harness/tools.ts';

interface ExportJob {
  id: string;
  state: string;
  error?: { code: string; message: string; hint: string };
  result?: {
    export?: {
      file: string;
      virtualSize: number;
      fileSize: number;
      bytesRead: number;
      bytesSkipped: number;
      bytesWritten: number;
      hashes: { algorithm: string; scope: string; value: string }[];
      durations: Record<string, number>;
    };
  };
}

const started = performance.now();
const before = await captureHostState();
const folder = await mkdtemp(join(tmpdir(), 'ips-demo-'));
let samba: Samba | undefined;
let deployment: Deployment | undefined;
let stopping: Promise<void> | undefined;
let failure: unknown;

process.once('SIGINT', () => interrupted(130));
process.once('SIGTERM', () => interrupted(143));

try {
  await run();
} catch (error) {
  failure = error;
}
await stopAll();
if (failure !== undefined) {
  console.error(`\nThe demo failed: ${failure instanceof Error ? failure.message : String(failure)}`);
  process.exitCode = 1;
}
await compareHost();
say(`Done in ${seconds(performance.now() - started)}.`);

async function run(): Promise<void> {
  const disk = await sourceDisk();
  say('Starting a file server (Samba) that demands SMB 3.1.1 with encryption');
  const password = randomBytes(18).toString('base64url');
  const share = join(folder, 'share');
  samba = await startSamba({
    dir: join(folder, 'samba'),
    shares: [{ name: 'images', path: share }],
    user: 'exporter',
    password,
  });
  const location = `smb://${samba.host}:${samba.port}/images`;
  say(`  ${location}`);

  say('Starting ips-cloud, and logging in with its first admin token');
  deployment = await Deployment.start(join(folder, 'ips'));
  say(`  ${deployment.url}, pin ${deployment.pin}`);

  say('Pairing a connector and starting it');
  await show(['location', 'create', 'demo']);
  await deployment.pairConnector('demo', { name: 'appliance-1', sourceFolders: [dirname(disk)] });
  await deployment.startConnector('appliance-1');
  await show(['connector', 'list']);

  say('Storing the credential for the share in the wallet');
  await show(
    ['credential', 'set', 'share', '--username', 'exporter', '--password-stdin', '--allow', location],
    `${password}\n`,
  );

  say('Exporting');
  const name = basename(disk, extname(disk));
  const order = ['--location', 'demo', '--disk', disk, '--to', location, '--name', name, '--credential', 'share'];
  command(['export', 'qemu', ...order]);
  const exportStarted = performance.now();
  const code = await deployment.ipsInSight(['export', 'qemu', ...order]);
  const [job] = await deployment.json<ExportJob[]>(['job', 'list']);
  if (!job) throw new Error('the cloud service has no job');
  if (code !== 0) {
    console.error(await deployment.mustRun(['job', 'log', job.id]));
    throw new Error(`the export ended with exit code ${code}`);
  }
  const took = performance.now() - exportStarted;

  await judge(disk, share, job, took);
}

async function sourceDisk(): Promise<string> {
  if (process.env.DISK) {
    const disk = resolve(process.env.DISK);
    await stat(disk);
    return disk;
  }
  say('Making the Windows-like sample disk (kept for the next time)');
  const out = resolve(import.meta.dirname, '../build/sample/windows-sample.qcow2');
  await mkdir(dirname(out), { recursive: true });
  await sampleDisk(out);
  return out;
}

/** An independent judge: qemu-img checks the file and compares every byte of it with the source. */
async function judge(disk: string, share: string, job: ExportJob, tookMs: number): Promise<void> {
  const result = job.result?.export;
  if (!result) throw new Error('the job has no result');
  const file = join(share, result.file);
  const format = formatOf(disk);
  say('Judging the file with qemu-img');
  const check = await runTool('qemu-img', ['check', '-f', 'vhdx', file]);
  say(`  qemu-img check:   ${check.trim().split('\n')[0]}`);
  const compare = await runTool('qemu-img', ['compare', '-f', format, '-F', 'vhdx', disk, file]);
  say(`  qemu-img compare: ${compare.trim()}`);
  const [hash] = result.hashes;
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  console.log('');
  for (const [label, value] of [
    ['job', `${job.id} (${job.state})`],
    ['file', `${result.file}, ${mib(result.fileSize)} on the share`],
    ['virtual size', mib(result.virtualSize)],
    ['read / skipped', `${mib(result.bytesRead)} / ${mib(result.bytesSkipped)}`],
    ['written', mib(result.bytesWritten)],
    ['content hash', `${hash?.value} (${hash?.scope})`],
    ['export took', seconds(tookMs)],
    ...Object.entries(result.durations).map(([step, ms]) => [`  ${step}`, seconds(ms)]),
  ]) {
    console.log(`  ${label?.padEnd(16)} ${value}`);
  }
  console.log('');
  if (process.env.KEEP) {
    await mkdir(process.env.KEEP, { recursive: true });
    await copyFile(file, join(process.env.KEEP, result.file));
    say(`Kept as ${join(resolve(process.env.KEEP), result.file)}`);
  }
}

function formatOf(disk: string): string {
  const formats: Record<string, string> = { '.qcow2': 'qcow2', '.vmdk': 'vmdk', '.vhdx': 'vhdx' };
  return formats[extname(disk).toLowerCase()] ?? 'raw';
}

/** Ends everything, once, also after Ctrl-C: a running job is cancelled first, so that its engine goes with it. */
function stopAll(): Promise<void> {
  stopping ??= (async () => {
    if (deployment) {
      const jobs = await deployment.json<ExportJob[]>(['job', 'list']).catch(() => []);
      for (const job of jobs.filter(({ state }) => state === 'queued' || state === 'inProgress')) {
        await deployment.ips(['job', 'cancel', job.id]);
        await deployment.ips(['job', 'wait', job.id]);
      }
      await deployment.stop();
    }
    await samba?.stop();
    await rm(folder, { recursive: true, force: true });
  })();
  return stopping;
}

async function compareHost(): Promise<void> {
  const { appeared, vanished } = compareHostState(before, await captureHostState());
  for (const item of appeared) console.error(`left behind: ${describeHostItem(item)}`);
  for (const item of vanished) console.error(`gone: ${describeHostItem(item)}`);
  // A process of somebody else may end by itself meanwhile; nothing else may differ.
  if (appeared.length > 0 || vanished.some(({ sort }) => sort !== 'process')) process.exitCode = 1;
  else say('Processes, mounts, loop devices and listening sockets are the same as before.');
}

function interrupted(code: number): void {
  console.error('\nInterrupted: cleaning up');
  void stopAll().then(() => process.exit(code));
}

async function show(args: readonly string[], input = ''): Promise<void> {
  command(args);
  const output = await deployment?.mustRun(args, input);
  if (output?.trim()) console.log(output.trimEnd().replace(/^/gm, '  '));
}

function command(args: readonly string[]): void {
  console.log(`  $ ips ${args.join(' ')}`);
}

function say(text: string): void {
  console.log(text);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
