import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { stopVm } from '../../../providers/qemu/stop-vm.ts';
import { startOf } from '../../../providers/qemu/vm-process.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { napClock } from './nap-clock.ts';

describe('a VM that does not listen to SIGTERM', () => {
  it('is killed after its time', async () => {
    const child = spawn('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'data');
    const sent: string[] = [];
    const doors = new Doors({ before: (_, point) => sent.push(point), after: () => undefined });
    const pid = child.pid ?? 0;
    expect(
      await stopVm(
        { doors, clock: napClock() },
        { pid, startTicks: (await startOf(pid)) ?? 0 },
        new AbortController().signal,
      ),
    ).toBe(true);
    expect(sent).toEqual(['qemu.sigterm', 'qemu.sigkill']);
  });
});
