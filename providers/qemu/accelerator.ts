/**
 * KVM or TCG, decided by a tried start: that /dev/kvm opens, and even that a few instructions run, proves nothing in
 * a virtual machine. The engine's own kernel is started on the engine's own machine type without a root; it must come
 * as far as complaining about that. The answer is kept until the host boots again or QEMU changes.
 */
import { access, constants } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { type Clock, deadlineSignal } from '../../src/lib/clock.ts';
import { type Files, isErrno, readIfThere } from '../../src/lib/files.ts';
import type { Logger } from '../../src/lib/logging.ts';
import type { Processes, Ran } from '../../src/lib/processes.ts';
import { hostUptime } from '../../src/lib/uptime.ts';
import { IpsError } from '../../src/protocol/errors.ts';
import { type Accelerator, contained, machineArguments } from './command-line.ts';
import { imagePaths } from './engine-image.ts';
import type { QemuSettings } from './settings.ts';

/** Under a working KVM the kernel needs about a second. */
const TRY_MS = 15_000;
const VERSION_MS = 15_000;

/** How the kernel ends when it has no root: proof that it ran through its whole start. */
const REACHED = 'Kernel panic - not syncing: VFS';

const cacheSchema = z.object({
  bootId: z.string(),
  kernel: z.string(),
  emulator: z.string(),
  accelerator: z.enum(['kvm', 'tcg']),
});

interface Tools {
  settings: QemuSettings;
  stateFolder: string;
  processes: Processes;
  files: Files;
  clock: Clock;
  log: Logger;
}

/** @throws IpsError ENGINE_START_FAILED when QEMU is not installed */
export async function chooseAccelerator(tools: Tools, signal: AbortSignal): Promise<Accelerator> {
  if (tools.settings.accelerator !== 'auto') return tools.settings.accelerator;
  const key = { bootId: hostUptime().bootId, kernel: release(), emulator: await emulatorVersion(tools, signal) };
  const cacheFile = join(tools.stateFolder, 'accelerator.json');
  const cached = parseCache(await readIfThere(cacheFile));
  if (cached && cached.bootId === key.bootId && cached.kernel === key.kernel && cached.emulator === key.emulator)
    return cached.accelerator;
  const outcome = await tryKvm(tools, signal);
  const accelerator = outcome === 'runs' ? 'kvm' : 'tcg';
  tools.log.info('chose how engines run', { accelerator, kvm: outcome });
  await tools.files.makePrivateFolder(tools.stateFolder);
  await tools.files.writeDurably(cacheFile, JSON.stringify({ ...key, accelerator }));
  return accelerator;
}

/** Exit codes of `env` when the program cannot be run or is not there (coreutils manual, "env invocation"). */
const CANNOT_RUN = [126, 127];

/** First line of `qemu-system-… --version`. @throws IpsError ENGINE_START_FAILED when it cannot be run */
export async function emulatorVersion(
  tools: Pick<Tools, 'settings' | 'processes' | 'clock'>,
  signal: AbortSignal,
): Promise<string> {
  const ran = await bounded(tools, VERSION_MS, ['--version'], 'qemu.version', signal);
  if (ran && !CANNOT_RUN.includes(ran.code ?? 0)) return ran.stdout.split('\n')[0] ?? '';
  throw new IpsError('ENGINE_START_FAILED', `${tools.settings.binary} cannot be run.`, {
    hint: 'Install QEMU on the connector: apt-get install qemu-system-x86 qemu-utils.',
  });
}

async function tryKvm(tools: Tools, signal: AbortSignal): Promise<string> {
  const usable = await access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!usable) return '/dev/kvm cannot be opened';
  const kernel = imagePaths(tools.settings.engineImageFolder).kernel;
  const args = [
    ...machineArguments(tools.settings, 'kvm'),
    ...['-kernel', kernel, '-append', 'console=ttyS0 panic=-1'],
    ...['-serial', 'stdio'],
  ];
  const ran = await bounded(tools, TRY_MS, args, 'qemu.try', signal);
  if (ran === undefined) return 'a tried guest did not come to an end';
  if (ran.code === 0 && ran.stdout.includes(REACHED)) return 'runs';
  return `a tried guest did not run: ${(ran.stderr.trim().split('\n').at(-1) ?? '').slice(0, 300)}`;
}

/** What the run gave, or undefined when it took too long. */
async function bounded(
  tools: Pick<Tools, 'settings' | 'processes' | 'clock'>,
  ms: number,
  qemuArgs: readonly string[],
  point: string,
  signal: AbortSignal,
): Promise<Ran | undefined> {
  const timedOut = new Error('the time is over');
  const bound = deadlineSignal(tools.clock, ms, () => timedOut, signal);
  const [program, args] = contained(tools.settings.binary, qemuArgs);
  try {
    return await tools.processes.run(program, args, { door: 'platform', point, signal: bound.signal });
  } catch (error) {
    if (error === timedOut || isErrno(error, 'ENOENT')) return undefined;
    throw error;
  } finally {
    bound.release();
  }
}

function parseCache(text: string | undefined): z.infer<typeof cacheSchema> | undefined {
  try {
    return text === undefined ? undefined : cacheSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
