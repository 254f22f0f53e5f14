/** A process may die after it has written the config disk and before it has put it in its place. */
import { link, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FOLDER_KIND, vmName } from '../../../providers/qemu/engine-vm.ts';
import { newContext } from '../providers/conformance.ts';
import { type QemuSubject, qemuSubject } from './subject.ts';

const never = new AbortController().signal;
const KEY = Buffer.from('{"bootKey":"c0ffee"}');

describe('the boot key in a config disk that was never put in place', () => {
  let subject: QemuSubject;
  let context: ReturnType<typeof newContext>;
  let folder: string;
  /** Another name of the file: what is still there of it when its own name is gone. */
  let witness: string;
  beforeEach(async () => {
    subject = await qemuSubject();
    context = newContext();
    folder = join(subject.stateFolder, 'vms', vmName(context));
    witness = join(subject.folder, 'witness');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, '.config.0123456789ab'), KEY);
    await link(join(folder, '.config.0123456789ab'), witness);
  });
  afterEach(async () => {
    await subject.createProvider().teardown(context, never);
    await subject.close();
  });
  const leftovers = async () => (await readdir(folder)).filter((name) => name.startsWith('.config'));
  const zeros = Buffer.alloc(KEY.length);

  it('is wiped when the user data is removed', async () => {
    await subject.createProvider().removeUserData(context, never);
    expect(await readFile(witness)).toEqual(zeros);
    expect(await leftovers()).toEqual([]);
  });

  it('is wiped when the engine is started after all', async () => {
    const provider = subject.createProvider();
    await provider.startEngine({ parameters: subject.parameters, userData: KEY }, context, never);
    expect(await readFile(witness)).toEqual(zeros);
    expect(await leftovers()).toEqual([]);
    expect((await readFile(join(folder, 'config'))).subarray(0, KEY.length)).toEqual(KEY);
  });

  it('is wiped when all is taken away', async () => {
    context.ledger.intent(FOLDER_KIND, vmName(context), { removeWith: 'rm' });
    await subject.createProvider().teardown(context, never);
    expect(await readFile(witness)).toEqual(zeros);
    expect(context.ledger.open()).toEqual([]);
  });
});
