/** Ends a VM and sees to it that it is gone. */
import type { Clock } from '../../src/lib/clock.ts';
import type { Doors } from '../../src/lib/doors.ts';
import { isErrno } from '../../src/lib/files.ts';
import { isThere, type VmProcess } from './vm-process.ts';

/** QEMU ends at once on SIGTERM unless it hangs in a system call. */
const TERM_MS = 5_000;
const KILL_MS = 20_000;
const POLL_MS = 25;

/**
 * SIGTERM, then SIGKILL; never to another process that got the same id meanwhile.
 * @returns whether the VM is gone
 * @throws the signal's reason
 */
export async function stopVm(
  tools: { doors: Doors; clock: Clock },
  vm: Pick<VmProcess, 'pid' | 'startTicks'>,
  signal: AbortSignal,
): Promise<boolean> {
  return (await end(tools, vm, 'SIGTERM', TERM_MS, signal)) || (await end(tools, vm, 'SIGKILL', KILL_MS, signal));
}

async function end(
  tools: { doors: Doors; clock: Clock },
  vm: Pick<VmProcess, 'pid' | 'startTicks'>,
  how: 'SIGTERM' | 'SIGKILL',
  ms: number,
  signal: AbortSignal,
): Promise<boolean> {
  const start = tools.clock.monotonic();
  if (!(await isThere(vm))) return true;
  tools.doors.passSync('platform', `qemu.${how.toLowerCase()}`, () => send(vm.pid, how));
  while (await isThere(vm)) {
    if (tools.clock.monotonic() - start >= ms) return false;
    await tools.clock.sleep(POLL_MS, signal);
  }
  return true;
}

function send(pid: number, how: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, how);
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}
