/**
 * KVM or TCG, decided by a tried start: that /dev/kvm opens, and even that a few instructions run, proves nothing in
 * a virtual machine. The engine's own kernel is started on the engine's own machine type without a root; it must come
 * as far as complaining about that. Only a success is kept, until the host boots again or QEMU changes: what keeps KVM
 * away may pass, and another try costs little beside a job under TCG.
 */
import { join } from 'node:path';
import type { Clock } from '../../src/lib/clock.ts';
import { type Files, readIfThere } from '../../src/lib/files.ts';
import type { Logger } from '../../src/lib/logging.ts';
import type { Processes, Ran } from '../../src/lib/processes.ts';
import { hostUptime } from '../../src/lib/uptime.ts';
import { type Accelerator, machineArguments, VM_LIMITS } from './command-line.ts';
import { runContained, unusable } from './contained.ts';
import { imagePaths } from './engine-image.ts';
import type { QemuSettings } from './settings.ts';

/** Under a working KVM the kernel needs about a second. */
const TRY_SECONDS = 15;
const VERSION_SECONDS = 15;

/** How the kernel ends when it has no root: proof that it ran through its whole start. */
const REACHED = 'Kernel panic - not syncing: VFS';

interface Tools {
  settings: QemuSettings;
  stateFolder: string;
  processes: Processes;
  files: Files;
  clock: Clock;
  log: Logger;
}

/** @throws IpsError ENGINE_START_FAILED when QEMU cannot be run */
export async function chooseAccelerator(tools: Tools, signal: AbortSignal): Promise<Accelerator> {
  if (tools.settings.accelerator !== 'auto') return tools.settings.accelerator;
  const emulator = await emulatorVersion(tools, signal);
  const proof = JSON.stringify({ bootId: hostUptime().bootId, emulator });
  const proofFile = proofFileIn(tools.stateFolder);
  if ((await readIfThere(proofFile)) === proof) return 'kvm';
  const outcome = await tryKvm(tools, signal);
  const accelerator = outcome === 'runs' ? 'kvm' : 'tcg';
  tools.log.info('chose how engines run', { accelerator, kvm: outcome });
  if (accelerator === 'kvm') {
    await tools.files.makePrivateFolder(tools.stateFolder);
    await tools.files.writeDurably(proofFile, proof);
  }
  return accelerator;
}

/** What ran may have stopped running since: it is tried again before the next start. */
export async function doubtAccelerator(tools: Pick<Tools, 'stateFolder' | 'files'>): Promise<void> {
  await tools.files.remove(proofFileIn(tools.stateFolder));
}

const proofFileIn = (stateFolder: string): string => join(stateFolder, 'kvm-runs.json');

/** First line of `qemu-system-… --version`. @throws IpsError ENGINE_START_FAILED when it does not come */
export async function emulatorVersion(
  tools: Pick<Tools, 'settings' | 'processes' | 'clock'>,
  signal: AbortSignal,
): Promise<string> {
  const { binary } = tools.settings;
  const late = () => unusable(`${binary} did not tell its version in ${VERSION_SECONDS} s.`);
  const limits = [...VM_LIMITS, `--cpu=${VERSION_SECONDS}`];
  const bounds = { limits, point: 'qemu.version', wallMs: VERSION_SECONDS * 1000, late };
  const ran = await runContained(tools, { program: binary, args: ['--version'], ...bounds }, signal);
  if (ran.code !== 0) throw unusable(`${binary} --version ended with ${ran.signal ?? ran.code}.`);
  return ran.stdout.split('\n')[0] ?? '';
}

async function tryKvm(tools: Tools, signal: AbortSignal): Promise<string> {
  const kernel = imagePaths(tools.settings.engineImageFolder).kernel;
  const args = [
    ...machineArguments(tools.settings, 'kvm'),
    ...['-kernel', kernel, '-append', 'console=ttyS0 panic=-1'],
    ...['-serial', 'stdio'],
  ];
  const timedOut = new Error('the time is over');
  const limits = [...VM_LIMITS, `--cpu=${TRY_SECONDS * tools.settings.cpus}`];
  const bounds = { limits, point: 'qemu.try', wallMs: TRY_SECONDS * 1000, late: () => timedOut };
  let ran: Ran;
  try {
    ran = await runContained(tools, { program: tools.settings.binary, args, ...bounds }, signal);
  } catch (error) {
    if (error === timedOut) return 'a tried guest did not come to an end';
    throw error;
  }
  if (ran.code === 0 && ran.stdout.includes(REACHED)) return 'runs';
  return `a tried guest did not run: ${(ran.stderr.trim().split('\n').at(-1) ?? '').slice(0, 300)}`;
}
