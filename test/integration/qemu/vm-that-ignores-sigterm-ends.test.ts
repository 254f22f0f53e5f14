import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { stopVm } from '../../../providers/qemu/stop-vm.ts';
import { startOf } from '../../../providers/qemu/vm-process.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { Doors } from '../../../src/lib/doors.ts';

describe('a VM that does not listen to SIGTERM', () => {
  it('is killed after its time', async () => {
    const child = spawn('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'data');
    const real = systemClock();
    let skipped = 0;
    // Time that passes a hundred times faster.
    const clock: Clock = {
      ...real,
      monotonic: () => real.monotonic() * 100,
      sleep: (ms, signal) => {
        skipped += 1;
        return real.sleep(ms, signal);
      },
    };
    const sent: string[] = [];
    const doors = new Doors({ before: (_, point) => sent.push(point), after: () => undefined });
    const pid = child.pid ?? 0;
    expect(
      await stopVm({ doors, clock }, { pid, startTicks: (await startOf(pid)) ?? 0 }, new AbortController().signal),
    ).toBe(true);
    expect(sent).toEqual(['qemu.sigterm', 'qemu.sigkill']);
    expect(skipped).toBeGreaterThan(0);
  });
});
