import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { VM_LIMITS, vmFiles } from '../../../providers/qemu/command-line.ts';
import { contained } from '../../../providers/qemu/contained.ts';
import { vmName } from '../../../providers/qemu/engine-vm.ts';
import { tryTool } from '../../harness/tools.ts';
import { newContext } from '../providers/conformance.ts';
import { type QemuSubject, qemuSubject } from './subject.ts';

const never = new AbortController().signal;

describe('the console of an engine', () => {
  let subject: QemuSubject;
  beforeEach(async () => {
    subject = await qemuSubject('printsForever', '\x1b[31mred\x07 words of a guest that never stops\n');
  });
  afterEach(async () => subject.close());

  it('is given as few, plain lines', async () => {
    const context = newContext();
    const provider = subject.createProvider();
    await provider.startEngine({ parameters: subject.parameters, userData: Buffer.alloc(16) }, context, never);
    try {
      const file = vmFiles(join(subject.stateFolder, 'vms', vmName(context))).console;
      while ((await stat(file)).size < 200_000) await sleep(20);
      const lines = (await provider.console(context, never)).split('\n');
      expect(lines.length).toBeLessThanOrEqual(200);
      expect(lines.at(-2)).toBe('red words of a guest that never stops');
    } finally {
      await provider.teardown(context, never);
    }
  });

  it('ends at a limit that does not end the program', async () => {
    // What every VM is started through: the write beyond the limit fails, and the program goes on to say so.
    const [program, args] = contained(VM_LIMITS, 'dd', [
      'if=/dev/zero',
      `of=${join(subject.folder, 'flood')}`,
      'bs=1M',
      'count=64',
    ]);
    const ran = await tryTool(program, args);
    expect(ran.stderr).toContain('File too large');
    expect((await stat(join(subject.folder, 'flood'))).size).toBe(16 * 1024 * 1024);
  });
});
