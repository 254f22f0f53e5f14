import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { vmName } from '../../../providers/qemu/engine-vm.ts';
import { findVms, startOf } from '../../../providers/qemu/vm-process.ts';
import { newContext } from '../providers/conformance.ts';
import { type QemuSubject, qemuSubject } from './subject.ts';

const never = new AbortController().signal;
const NOBODY = 65534;

describe('a process with the arguments of a VM', () => {
  let subject: QemuSubject;
  beforeEach(async () => {
    subject = await qemuSubject();
  });
  afterEach(async () => subject.close());

  /** A shell that waits for its input, and for whoever reads its arguments is the VM `name`. */
  function posing(name: string, uid?: number) {
    const pidFile = join(subject.stateFolder, 'vms', name, 'pid');
    const args = ['-c', 'read line', '-name', name, '-pidfile', pidFile];
    return spawn('sh', args, { uid, stdio: ['pipe', 'ignore', 'ignore'], cwd: '/' });
  }

  // Only root can start a process as somebody else.
  (process.getuid?.() === 0 ? it : it.skip)('of another user is none, and blocks no teardown', async () => {
    const context = newContext();
    const stranger = posing(vmName(context), NOBODY);
    const own = posing('ips-job-own-1.1');
    try {
      // The same arguments under our own user are seen, so that it is the user that makes the difference.
      while ((await findVms(join(subject.stateFolder, 'vms'))).length === 0) await sleep(10);
      context.ledger.intent('qemu.vm', vmName(context));
      const provider = subject.createProvider();
      expect(await provider.engineAlive(context, never)).toBe(false);
      expect((await provider.list(never)).map(({ name }) => name)).toEqual(['ips-job-own-1.1']);
      await provider.teardown(context, never);
      expect(context.ledger.open()).toEqual([]);
      expect(await startOf(stranger.pid ?? 0)).toBeGreaterThan(0);
    } finally {
      for (const child of [stranger, own]) {
        child.stdin?.end();
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      }
    }
  });
});
