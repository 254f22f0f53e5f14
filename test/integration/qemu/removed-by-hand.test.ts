import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { vmName } from '../../../providers/qemu/engine-vm.ts';
import { runTool } from '../../harness/tools.ts';
import { newContext } from '../providers/conformance.ts';
import { type QemuSubject, qemuSubject } from './subject.ts';

const never = new AbortController().signal;

describe('the commands that remove an engine by hand', () => {
  let subject: QemuSubject;
  beforeEach(async () => {
    subject = await qemuSubject();
  });
  afterEach(async () => subject.close());

  it('mean its VM and its folder, whatever is in the path', async () => {
    const stateFolder = join(subject.folder, `it's $HOME, (so)`);
    const context = newContext();
    const provider = subject.createProvider({}, { stateFolder });
    await provider.startEngine({ parameters: subject.parameters, userData: Buffer.alloc(16) }, context, never);
    try {
      const [folder, vm] = context.ledger.open();
      // The same words, with programs that only look.
      const look = (command: string | undefined, from: string, to: string) =>
        runTool('sh', ['-c', (command ?? '').replace(from, to)]);
      expect(vm?.removeWith).toMatch(/^pkill /);
      expect(await look(vm?.removeWith, 'pkill', 'pgrep')).toBe(`${vm?.platformId?.split('@')[0]}\n`);
      expect(folder?.removeWith).toMatch(/^rm -rf /);
      expect(await look(folder?.removeWith, 'rm -rf', 'ls -d')).toBe(`${join(stateFolder, 'vms', vmName(context))}\n`);
    } finally {
      await provider.teardown(context, never);
    }
  });
});
