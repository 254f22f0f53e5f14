import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { vmName } from '../../../providers/qemu/engine-vm.ts';
import { stopVm } from '../../../providers/qemu/stop-vm.ts';
import { startOf } from '../../../providers/qemu/vm-process.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { newContext } from '../providers/conformance.ts';
import { type QemuSubject, qemuSubject } from './subject.ts';

const never = new AbortController().signal;
const tools = { doors: new Doors(), clock: systemClock() };

describe('a process that has the id of a VM that is gone', () => {
  let subject: QemuSubject;
  beforeEach(async () => {
    subject = await qemuSubject();
  });
  afterEach(async () => subject.close());

  it('is not touched', async () => {
    const stranger = spawn('sleep', ['60'], { stdio: 'ignore' });
    const pid = stranger.pid ?? 0;
    try {
      expect(await stopVm(tools, { pid, startTicks: 12345 }, never)).toBe(true);
      const context = newContext();
      context.ledger.made(context.ledger.intent('qemu.vm', vmName(context)), `${pid}@12345`);
      expect(await subject.createProvider().engineAlive(context, never)).toBe(false);
      await subject.createProvider().teardown(context, never);
      expect(context.ledger.open()).toEqual([]);
      expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
      expect(await startOf(pid)).toBeGreaterThan(0);
    } finally {
      stranger.kill('SIGKILL');
      await once(stranger, 'exit');
    }
  });
});
