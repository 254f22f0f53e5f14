/**
 * The main job, for real, on this machine: a file server that demands SMB3 with encryption, a cloud service, a paired
 * connector, a credential in the wallet, and an export of a disk through a booted engine. Then an independent judge
 * (qemu-img) compares the file with the source, and the host is compared with what it was before.
 *
 * DISK=/path/to/image exports that disk instead of the sample; KEEP=/path/to/folder keeps the result.
 */

import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { isTerminal } from '../src/protocol/job.ts';
import type { JobView } from '../src/protocol/rest.ts';
import { sampleDisk } from '../test/fixtures/sample-disk.ts';
import { Deployment } from '../test/harness/deployment.ts';
import { captureHostState, compareHostState, describeHostItem } from '../test/harness/host-state.ts';
import { guardLeftovers } from '../test/harness/leftover-guard.ts';
import { type Samba, startSamba } from '../test/harness/samba.ts';
import { runTool } from '../test/harness/tools.ts';

const started = performance.now();
const before = await captureHostState();
const folder = await mkdtemp(join(tmpdir(), 'ips-demo-'));
const guard = guardLeftovers(folder);
const interruption = new AbortController();
const { signal } = interruption;
let samba: Samba | undefined;
let deployment: Deployment | undefined;

for (const [name, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  // Not once: a second Ctrl-C must not end the clean-up.
  process.on(name, () => {
    console.error('\nInterrupted: cleaning up');
    process.exitCode = code;
    interruption.abort();
  });
}

await run().catch(failed);
await cleanUp().catch(failed);
await compareHost();
say(`Done in ${seconds(performance.now() - started)}.`);

/** What an interruption brings about is no failure. */
function failed(error: unknown): void {
  const cause = error instanceof Error ? error.cause : undefined;
  if (signal.aborted && (error === signal.reason || cause === signal.reason)) return;
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode ||= 1;
}

async function run(): Promise<void> {
  const disk = await sourceDisk();
  step('Starting a file server (Samba) that demands SMB 3.1.1 with encryption');
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

  step('Starting ips-cloud, and logging in with its first admin token');
  deployment = await Deployment.start(join(folder, 'ips'));
  say(`  ${deployment.url}, pin ${deployment.pin}`);

  step('Pairing a connector and starting it');
  await show(deployment, ['location', 'create', 'demo']);
  await deployment.pairConnector('demo', { name: 'appliance-1', sourceFolders: [dirname(disk)] });
  await deployment.startConnector('appliance-1');
  await show(deployment, ['connector', 'list']);

  step('Storing the credential for the share in the wallet');
  const credential = ['credential', 'set', 'share', '--username', 'exporter', '--password-stdin', '--allow', location];
  await show(deployment, credential, `${password}\n`);

  step('Exporting');
  const name = basename(disk, extname(disk));
  const order = ['--location', 'demo', '--disk', disk, '--to', location, '--name', name, '--credential', 'share'];
  command(['export', 'qemu', ...order]);
  const exportStarted = performance.now();
  const code = await deployment.ipsInSight(['export', 'qemu', ...order], signal);
  signal.throwIfAborted();
  const [job] = await deployment.json<JobView[]>(['job', 'list']);
  if (!job) throw new Error('the cloud service has no job');
  if (code !== 0) {
    console.error(await deployment.mustRun(['job', 'log', job.id]));
    throw new Error(`the export ended with exit code ${code}`);
  }
  await judge(disk, share, job, performance.now() - exportStarted);
}

async function sourceDisk(): Promise<string> {
  // Where it really lies: the connector serves no links that lead out of its source folder.
  if (process.env.DISK) return await realpath(process.env.DISK);
  step('Making the Windows-like sample disk (kept for the next time)');
  const out = resolve(import.meta.dirname, '../build/sample/windows-sample.qcow2');
  await mkdir(dirname(out), { recursive: true });
  await sampleDisk(out, { signal });
  return out;
}

/** An independent judge: qemu-img checks the file and compares every byte of it with the source. */
async function judge(disk: string, share: string, job: JobView, tookMs: number): Promise<void> {
  const result = job.result?.export;
  if (!result) throw new Error('the job has no result');
  const file = join(share, result.file);
  const format = formatOf(disk);
  step('Judging the file with qemu-img');
  const check = await runTool('qemu-img', ['check', '-f', 'vhdx', file], { signal });
  say(`  qemu-img check:   ${check.trim().split('\n')[0]}`);
  const compare = await runTool('qemu-img', ['compare', '-f', format, '-F', 'vhdx', disk, file], { signal });
  say(`  qemu-img compare: ${compare.trim()}`);
  const [hash] = result.hashes;
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  say('');
  for (const [label, value] of [
    ['job', `${job.id} (${job.state})`],
    ['file', `${result.file}, ${mib(result.fileSize)} on the share`],
    ['virtual size', mib(result.virtualSize)],
    ['read / skipped', `${mib(result.bytesRead)} / ${mib(result.bytesSkipped)}`],
    ['written', mib(result.bytesWritten)],
    ['content hash', `${hash?.value} (${hash?.scope})`],
    ['export took', seconds(tookMs)],
    ...Object.entries(result.durations).map(([name, ms]) => [`  ${name}`, seconds(ms)]),
  ]) {
    say(`  ${label?.padEnd(16)} ${value}`);
  }
  say('');
  if (process.env.KEEP) {
    await mkdir(process.env.KEEP, { recursive: true });
    const kept = join(resolve(process.env.KEEP), result.file);
    await copyFile(file, kept);
    say(`Kept as ${kept}`);
  }
}

function formatOf(disk: string): string {
  const formats: Record<string, string> = { '.qcow2': 'qcow2', '.vmdk': 'vmdk', '.vhdx': 'vhdx' };
  return formats[extname(disk).toLowerCase()] ?? 'raw';
}

/** Ends everything. A job that still runs is cancelled first, so that its engine goes with it. */
async function cleanUp(): Promise<void> {
  try {
    if (deployment) await endJobs(deployment);
  } finally {
    try {
      await deployment?.stop();
    } finally {
      await samba?.stop();
      await rm(folder, { recursive: true, force: true });
      await guard.dismiss();
    }
  }
}

async function endJobs(ips: Deployment): Promise<void> {
  const jobs = await ips.json<JobView[]>(['job', 'list']).catch(() => []);
  for (const job of jobs.filter(({ state }) => !isTerminal(state))) {
    // Refused while it commits: then its end is a moment away.
    const cancel = await ips.ips(['job', 'cancel', job.id]);
    if (cancel.code !== 0) console.error(cancel.stderr.trimEnd());
    await ips.ips(['job', 'wait', job.id]);
  }
}

async function compareHost(): Promise<void> {
  const { appeared, vanished } = compareHostState(before, await captureHostState());
  for (const item of appeared) console.error(`left behind: ${describeHostItem(item)}`);
  for (const item of vanished) console.error(`gone: ${describeHostItem(item)}`);
  // A process of somebody else may end by itself meanwhile; nothing else may differ.
  if (appeared.length > 0 || vanished.some(({ sort }) => sort !== 'process')) process.exitCode = 1;
  else say('Processes, mounts, loop devices and listening sockets are the same as before.');
}

async function show(ips: Deployment, args: readonly string[], input = ''): Promise<void> {
  command(args);
  const output = await ips.mustRun(args, input);
  if (output.trim()) say(output.trimEnd().replace(/^/gm, '  '));
}

function command(args: readonly string[]): void {
  say(`  $ ips ${args.join(' ')}`);
}

/** The next part of the run, unless somebody has interrupted it. */
function step(text: string): void {
  signal.throwIfAborted();
  say(text);
}

function say(text: string): void {
  console.log(text);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
