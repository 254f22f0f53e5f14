/**
 * The engine VM of one job and token: started, found again, stopped. Everything of it lies in one private folder, and
 * both the folder and the VM are in the ledger before they are made. The VM outlives the connector that started it.
 */
import { join } from 'node:path';
import { type Clock, deadlineSignal } from '../../src/lib/clock.ts';
import type { Doors } from '../../src/lib/doors.ts';
import { type Files, readIfThere } from '../../src/lib/files.ts';
import type { Logger } from '../../src/lib/logging.ts';
import type { Processes } from '../../src/lib/processes.ts';
import { quoted } from '../../src/lib/shell.ts';
import { ENGINE_PORT } from '../../src/protocol/engine.ts';
import { IpsError } from '../../src/protocol/errors.ts';
import type { ProviderContext } from '../contract.ts';
import { type Accelerator, engineArguments, VM_LIMITS, vmFiles } from './command-line.ts';
import { makeConfig, wipeConfig } from './config-disk.ts';
import { contained } from './contained.ts';
import { imagePaths } from './engine-image.ts';
import type { Chain } from './image-chain.ts';
import { engineLoopback } from './loopback.ts';
import { lastLine, saysLocked } from './qemu-img.ts';
import { MAX_SOCKET_PATH, qmpAnswers } from './qmp.ts';
import type { QemuSettings } from './settings.ts';
import { stopVm } from './stop-vm.ts';
import { strangerIn } from './stranger.ts';
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

/** How an engine is run, and on what. */
export interface Order {
  accelerator: Accelerator;
  source: Chain;
}

/**
 * @param request.order called only when a VM has to be started, right before it is
 * @throws IpsError SOURCE_IN_USE, SOURCE_BACKING_REFUSED, ENGINE_START_FAILED, ENGINE_LOST when it was started once and
 * is not there any more; what `order` throws
 */
export async function startVm(
  tools: VmTools,
  context: ProviderContext,
  request: { userData: Buffer; order: () => Promise<Order> },
  signal: AbortSignal,
): Promise<void> {
  const name = vmName(context);
  const folder = join(tools.vmsFolder, name);
  const files = vmFiles(folder);
  if (Buffer.byteLength(files.qmp) > MAX_SOCKET_PATH)
    throw new IpsError('CONFIG_INVALID', `The state folder's path is too long for a socket: ${files.qmp}.`);

  const found = await findVm(tools, name);
  if (context.ledger.open().some((row) => row.kind === VM_KIND && row.name === name && row.state === 'made')) {
    if (found) return;
    throw new IpsError('ENGINE_LOST', 'It was started once and is not there any more.');
  }
  const order = await request.order();
  // A start that was given up by its caller must make nothing any more.
  signal.throwIfAborted();
  const folderRow = context.ledger.intent(FOLDER_KIND, name, { removeWith: `rm -rf ${quoted(folder)}` });
  if (found === undefined) {
    await tools.files.makePrivateFolder(tools.vmsFolder);
    await tools.files.makePrivateFolder(folder);
    await wipeConfig(tools.files, folder);
    await makeConfig(tools.files, folder, request.userData);
  }
  if (folderRow.state === 'intent') context.ledger.made(folderRow, folder);

  const vmRow = context.ledger.intent(VM_KIND, name, { removeWith: endByHand(files.pid) });
  let vm = found;
  if (vm && (await wake(tools, vm, signal)) !== 'answers') {
    await end(tools, vm, signal);
    vm = undefined;
  }
  vm ??= await launch(tools, context, order, signal);
  await refuseStranger(tools, vm, order.source, signal);
  context.ledger.made(vmRow, platformIdOf(vm));
}

/** Ends the VM by its own argument: a number in an old file may be somebody else's process after a reboot. */
function endByHand(pidFile: string): string {
  return `pkill -f -- ${quoted(`-pidfile ${pidFile.replace(/[.[\]*+?^$(){}|\\]/g, '\\$&')}`)}`;
}

/** The VM of this name, if there is one. */
export async function findVm(tools: Pick<VmTools, 'vmsFolder'>, name: string): Promise<VmProcess | undefined> {
  return (await findVms(tools.vmsFolder)).find((vm) => vm.name === name);
}

async function launch(
  tools: VmTools,
  context: ProviderContext,
  { accelerator, source }: Order,
  signal: AbortSignal,
): Promise<VmProcess> {
  const name = vmName(context);
  const folder = join(tools.vmsFolder, name);
  const { log } = vmFiles(folder);
  const image = imagePaths(tools.settings.engineImageFolder);
  for (let attempt = 0; attempt < ADDRESSES; attempt += 1) {
    const address = engineLoopback(context.jobId, context.token, attempt);
    const { settings } = tools;
    const engine = { settings, accelerator, image, name, folder, source: source.image, address };
    const [program, args] = contained(VM_LIMITS, settings.binary, engineArguments(engine));
    signal.throwIfAborted();
    await tools.files.remove(log);
    const pid = await tools.processes.startDetached(program, args, {
      door: 'platform',
      point: 'qemu.start',
      logFile: log,
      cwd: '/',
    });
    // One that has ended already has no start any more; nothing started together with the kernel.
    const vm = { pid, startTicks: (await startOf(pid)) ?? 0, name, folder, address };
    const state = await wake(tools, vm, signal);
    if (state === 'answers') {
      context.log.info('engine VM runs', { name, pid, address, accelerator });
      return vm;
    }
    await end(tools, vm, signal);
    const said = (await readIfThere(log)) ?? '';
    if (saysLocked(said)) throw new IpsError('SOURCE_IN_USE', `It is ${source.image.path}.`);
    if (!said.includes('Could not set up host forwarding rule'))
      throw new IpsError('ENGINE_START_FAILED', `${FAILURES[state]}: ${lastLine(said) || 'it said nothing'}.`);
    context.log.info('the loopback address is taken, trying the next', { name, address });
  }
  throw new IpsError(
    'ENGINE_START_FAILED',
    `Port ${ENGINE_PORT} was taken on each of ${ADDRESSES} loopback addresses.`,
    {
      hint:
        `Keep port ${ENGINE_PORT} free on this machine: a program that listens on 0.0.0.0:${ENGINE_PORT} holds it on ` +
        `every loopback address. See which it is with: ss -ltnp 'sport = :${ENGINE_PORT}'.`,
    },
  );
}

const FAILURES = { gone: 'QEMU ended', silent: `QEMU did not answer in ${START_MS / 1000} s` } as const;

/** Waits until QEMU answers: disks and ports are open then. Or it ended, or is there and silent. */
async function wake(tools: VmTools, vm: VmProcess, signal: AbortSignal): Promise<'answers' | 'gone' | 'silent'> {
  const late = new Error('the time is over');
  const bound = deadlineSignal(tools.clock, START_MS, () => late, signal);
  try {
    while (await isThere(vm)) {
      if (await qmpAnswers(vmFiles(vm.folder).qmp, tools.doors, bound.signal)) return 'answers';
      await tools.clock.sleep(POLL_MS, bound.signal);
    }
    return 'gone';
  } catch (error) {
    if (error === late) return 'silent';
    throw error;
  } finally {
    bound.release();
  }
}

/** @throws IpsError ENGINE_START_FAILED: beside a VM that does not end no other of its name may be started */
async function end(tools: VmTools, vm: VmProcess, signal: AbortSignal): Promise<void> {
  if (await stopVm(tools, vm, signal)) return;
  throw new IpsError('ENGINE_START_FAILED', `A VM of this engine does not end: process ${vm.pid}.`);
}

/** Lets no VM live that was led to another file than those that were looked at. */
async function refuseStranger(tools: VmTools, vm: VmProcess, source: Chain, signal: AbortSignal): Promise<void> {
  const engineImage = Object.values(imagePaths(tools.settings.engineImageFolder));
  const stranger = await strangerIn(vm, { source: source.files, engineImage });
  if (stranger === undefined) return;
  await end(tools, vm, signal);
  throw new IpsError('SOURCE_BACKING_REFUSED', `QEMU was led to ${stranger}, which nobody had looked at.`, {
    hint: 'See who changes the files in the source folder meanwhile, then start the job again.',
  });
}
