/**
 * Engine VMs as this host's kernel shows them (proc(5)). A VM is known by what stands in its arguments, and a process
 * by its id *and* its start, so that a recycled process id is never taken for a VM.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ENGINE_PORT } from '../../src/protocol/engine.ts';

export interface VmProcess {
  pid: number;
  /** Clock ticks after boot at which the process started. */
  startTicks: number;
  name: string;
  /** The folder of its own that the VM was started with. */
  folder: string;
  /** Loopback address that leads to the engine. */
  address: string | undefined;
}

/** Pid and start as one text: the platform id of a VM. */
export function platformIdOf(vm: Pick<VmProcess, 'pid' | 'startTicks'>): string {
  return `${vm.pid}@${vm.startTicks}`;
}

/** Name of the file in a VM's folder into which QEMU writes its process id. */
export const PID_FILE = 'pid';

/** PF_KTHREAD of include/linux/sched.h: such a process never has arguments. */
const KERNEL_THREAD = 0x00200000;

/** The start of a living process, in clock ticks after boot; undefined when there is none or it only waits to be reaped. */
export async function startOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The program's name stands in parentheses and may hold anything; the fields behind it are plain.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const kernelThread = (Number(fields[6]) & KERNEL_THREAD) !== 0;
  return stat === '' || fields[0] === 'Z' || kernelThread ? undefined : Number(fields[19]);
}

/** Whether this very process, not a later one with its id, is still there. */
export async function isThere(vm: Pick<VmProcess, 'pid' | 'startTicks'>): Promise<boolean> {
  return (await startOf(vm.pid)) === vm.startTicks;
}

/** While a process becomes another program its arguments are empty for a moment; looked at again so often. */
const LOOKS = 50;

/** Whether this user started the process: anyone on this machine can give theirs the arguments of a VM. */
async function isOurs(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return /^Uid:\t(\d+)/m.exec(status)?.[1] === String(process.getuid?.());
}

/** The VM behind a process id; undefined when there is no such process, or it is something else. */
async function readVm(pid: number): Promise<VmProcess | undefined> {
  const startTicks = await startOf(pid);
  if (startTicks === undefined || !(await isOurs(pid))) return undefined;
  let commandLine = '';
  for (let look = 0; look < LOOKS && commandLine === ''; look += 1) {
    commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  }
  const args = commandLine.split('\0');
  const name = argument(args, '-name');
  const pidFile = argument(args, '-pidfile');
  if (name === undefined || pidFile === undefined) return undefined;
  const folder = pidFile.slice(0, -(PID_FILE.length + 1));
  const address = new RegExp(`hostfwd=tcp:([\\d.]+):${ENGINE_PORT}-`).exec(argument(args, '-netdev') ?? '')?.[1];
  return { pid, startTicks, name, folder, address };
}

function argument(args: readonly string[], option: string): string | undefined {
  const at = args.indexOf(option);
  return at < 0 ? undefined : args[at + 1];
}

/** All VMs whose own folder lies directly in `parent`. */
export async function findVms(parent: string): Promise<VmProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const vms = await Promise.all(pids.map(readVm));
  return vms.filter((vm) => vm !== undefined).filter((vm) => vm.folder === join(parent, vm.name));
}
