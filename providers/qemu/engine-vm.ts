/**
 * The engine VM of one job and token: started, found again, stopped. Everything of it lies in one private folder, and
 * both the folder and the VM are in the ledger before they are made. The VM outlives the connector that started it.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../src/lib/clock.ts';
import type { Doors } from '../../src/lib/doors.ts';
import { exists, type Files, readIfThere } from '../../src/lib/files.ts';
import type { Logger } from '../../src/lib/logging.ts';
import type { Processes } from '../../src/lib/processes.ts';
import { USER_DATA_SIZE } from '../../src/protocol/engine.ts';
import { IpsError } from '../../src/protocol/errors.ts';
import type { ProviderContext } from '../contract.ts';
import { type Accelerator, contained, engineArguments, vmFiles } from './command-line.ts';
import { imagePaths } from './engine-image.ts';
import type { ImageFile } from './image-chain.ts';
import { engineLoopback } from './loopback.ts';
import { lastLine, saysLocked } from './qemu-img.ts';
import { MAX_SOCKET_PATH, qmpStatus } from './qmp.ts';
import type { QemuSettings } from './settings.ts';
import { stopVm } from './stop-vm.ts';
import { findVms, isThere, platformIdOf, startOf, type VmProcess } from './vm-process.ts';

export const VM_KIND = 'qemu.vm';
export const FOLDER_KIND = 'qemu.folder';

/** Loopback addresses that are tried before giving up. */
const ADDRESSES = 16;
/** QEMU opens disks and ports well within this, even on a busy host. */
const START_MS = 60_000;
const POLL_MS = 50;

export interface VmTools {
  settings: QemuSettings;
  /** The folders of all VMs lie here. */
  vmsFolder: string;
  processes: Processes;
  files: Files;
  doors: Doors;
  clock: Clock;
  log: Logger;
}

/** Name of a VM and of its folder: it follows from job and token alone. */
export function vmName(context: Pick<ProviderContext, 'jobId' | 'token'>): string {
  return `ips-${context.jobId}-${context.token}`;
}

/** The job in a name made by {@link vmName}. */
export function jobOf(name: string): string | undefined {
  return /^ips-(.+)-\d+\.\d+$/.exec(name)?.[1];
}

/** @throws IpsError SOURCE_IN_USE, ENGINE_START_FAILED, ENGINE_LOST when it was started once and is not there any more */
export async function startVm(
  tools: VmTools,
  context: ProviderContext,
  request: { source: ImageFile; userData: Buffer; accelerator: () => Promise<Accelerator> },
  signal: AbortSignal,
): Promise<void> {
  const name = vmName(context);
  const folder = join(tools.vmsFolder, name);
  const files = vmFiles(folder);
  if (Buffer.byteLength(files.qmp) > MAX_SOCKET_PATH)
    throw new IpsError('CONFIG_INVALID', `The state folder's path is too long for a socket: ${files.qmp}.`);

  // A start that was given up by its caller must make nothing any more.
  signal.throwIfAborted();
  const found = await findVm(tools, name);
  if (context.ledger.open().some((row) => row.kind === VM_KIND && row.name === name && row.state === 'made')) {
    if (found) return;
    throw new IpsError('ENGINE_LOST', 'It was started once and is not there any more.');
  }
  const folderRow = context.ledger.intent(FOLDER_KIND, name, { removeWith: `rm -rf '${folder}'` });
  if (found === undefined) {
    await tools.files.makePrivateFolder(tools.vmsFolder);
    await tools.files.makePrivateFolder(folder);
    await tools.files.writeDurably(files.config, configDisk(request.userData));
  }
  if (folderRow.state === 'intent') context.ledger.made(folderRow, folder);

  const vmRow = context.ledger.intent(VM_KIND, name, { removeWith: endByHand(files.pid) });
  const adopted = found && (await isReady(tools, found, signal)) ? found : undefined;
  if (found && !adopted) await stopVm(tools, found, signal);
  context.ledger.made(vmRow, platformIdOf(adopted ?? (await launch(tools, context, request, signal))));
}

/** Ends the VM by its own argument: a number in an old file may be somebody else's process after a reboot. */
function endByHand(pidFile: string): string {
  return `pkill -f -- '-pidfile ${pidFile.replace(/[.[\]*+?^$(){}|\\]/g, '\\$&')}'`;
}

/** The VM of this name, if there is one. */
export async function findVm(tools: Pick<VmTools, 'vmsFolder'>, name: string): Promise<VmProcess | undefined> {
  return (await findVms(tools.vmsFolder)).find((vm) => vm.name === name);
}

async function launch(
  tools: VmTools,
  context: ProviderContext,
  request: { source: ImageFile; accelerator: () => Promise<Accelerator> },
  signal: AbortSignal,
): Promise<VmProcess> {
  const name = vmName(context);
  const folder = join(tools.vmsFolder, name);
  const { log } = vmFiles(folder);
  const accelerator = await request.accelerator();
  const image = imagePaths(tools.settings.engineImageFolder);
  for (let attempt = 0; attempt < ADDRESSES; attempt += 1) {
    const address = engineLoopback(context.jobId, context.token, attempt);
    const [program, args] = contained(
      tools.settings.binary,
      engineArguments({ settings: tools.settings, accelerator, image, name, folder, source: request.source, address }),
    );
    signal.throwIfAborted();
    await tools.files.remove(log);
    const pid = await tools.processes.startDetached(program, args, {
      door: 'platform',
      point: 'qemu.start',
      logFile: log,
      cwd: '/',
    });
    const startTicks = await startOf(pid);
    const vm = startTicks === undefined ? undefined : { pid, startTicks, name, folder, address };
    if (vm && (await isReady(tools, vm, signal))) {
      context.log.info('engine VM runs', { name, pid, address, accelerator });
      return vm;
    }
    if (vm) await stopVm(tools, vm, signal);
    const said = (await readIfThere(log)) ?? '';
    if (saysLocked(said)) throw new IpsError('SOURCE_IN_USE', `It is ${request.source.path}.`);
    if (!said.includes('Could not set up host forwarding rule'))
      throw new IpsError('ENGINE_START_FAILED', lastLine(said) || 'QEMU ended without a word.');
    context.log.info('the loopback address is taken, trying the next', { name, address });
  }
  throw new IpsError('ENGINE_START_FAILED', `None of ${ADDRESSES} loopback addresses was free.`);
}

/** Waits until QEMU answers: disks and ports are open then. False when it ended, or did not come so far in time. */
async function isReady(tools: VmTools, vm: VmProcess, signal: AbortSignal): Promise<boolean> {
  const start = tools.clock.monotonic();
  while (tools.clock.monotonic() - start < START_MS) {
    if (!(await isThere(vm))) return false;
    if ((await qmpStatus(vmFiles(vm.folder).qmp, tools.doors, signal)) !== undefined) return true;
    await tools.clock.sleep(POLL_MS, signal);
  }
  return false;
}

function configDisk(userData: Buffer): Buffer {
  if (userData.length > USER_DATA_SIZE) throw new Error(`the user data has more than ${USER_DATA_SIZE} bytes`);
  return Buffer.concat([userData, Buffer.alloc(USER_DATA_SIZE - userData.length)]);
}

/** Overwrites the config disk where it lies, so that neither host nor guest can read the boot key from it any more. */
export async function wipeConfig(tools: Pick<VmTools, 'vmsFolder' | 'files'>, name: string): Promise<void> {
  const { config } = vmFiles(join(tools.vmsFolder, name));
  if (await exists(config)) await tools.files.overwriteWithZeros(config);
}

const CONSOLE_BYTES = 64 * 1024;
const CONSOLE_LINES = 200;
const QEMU_LINES = 20;

/** The last things that QEMU itself said, then the last lines of the serial console; free of control characters. */
export async function consoleTail(tools: Pick<VmTools, 'vmsFolder'>, name: string): Promise<string> {
  const files = vmFiles(join(tools.vmsFolder, name));
  const said = (await lastLines(files.log)).filter((line, index, all) => line !== all[index - 1]);
  const printed = await lastLines(files.console);
  return [...said.slice(-QEMU_LINES), ...printed].slice(-CONSOLE_LINES).join('\n');
}

async function lastLines(path: string): Promise<string[]> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  const text = bytes.subarray(-CONSOLE_BYTES).toString('utf8');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  const plain = text.replace(/\x1b\[[\d;?]*[A-Za-z]/g, '').replace(/[^\n\t\x20-\x7e\u00a0-\uffff]/g, '');
  return plain.split('\n').filter((line) => line.trim() !== '');
}
