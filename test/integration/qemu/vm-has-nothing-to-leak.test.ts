import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { vmName } from '../../../providers/qemu/engine-vm.ts';
import { findVms } from '../../../providers/qemu/vm-process.ts';
import { newContext } from '../providers/conformance.ts';
import { type QemuSubject, qemuSubject } from './subject.ts';

const never = new AbortController().signal;
const BOOT_KEY = 'c0ffee'.repeat(10);

describe('the boot key of a started engine', () => {
  let subject: QemuSubject;
  const context = newContext();
  beforeEach(async () => {
    process.env.IPS_TEST_SECRET = BOOT_KEY;
    subject = await qemuSubject();
    const userData = Buffer.from(`IPS-USER-DATA-1\n{"bootKey":"${BOOT_KEY}"}`);
    await subject.createProvider().startEngine({ parameters: subject.parameters, userData }, context, never);
  });
  afterEach(async () => {
    delete process.env.IPS_TEST_SECRET;
    await subject.createProvider().teardown(context, never);
    await subject.close();
  });
  const folder = () => join(subject.stateFolder, 'vms', vmName(context));

  it('lies on the config disk and nowhere else in the private folder', async () => {
    expect((await stat(folder())).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder(), 'config'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder(), 'config'))).size).toBe(64 * 1024);
    const files = (await readdir(folder())).filter((name) => name !== 'qmp');
    const holders = [];
    for (const name of files) if ((await readFile(join(folder(), name))).includes(BOOT_KEY)) holders.push(name);
    expect(holders).toEqual(['config']);
  });

  it('is not among the arguments, and the environment of the connector is not handed on', async () => {
    const [vm] = await findVms(join(subject.stateFolder, 'vms'));
    expect(await readFile(`/proc/${vm?.pid}/cmdline`, 'utf8')).not.toContain(BOOT_KEY);
    expect(await readFile(`/proc/${vm?.pid}/environ`, 'utf8')).not.toContain('IPS_TEST_SECRET');
  });

  it('is overwritten where it lies once it is not needed', async () => {
    const before = await stat(join(folder(), 'config'));
    await subject.createProvider().removeUserData(context, never);
    const after = await stat(join(folder(), 'config'));
    expect(after.ino).toBe(before.ino);
    expect((await readFile(join(folder(), 'config'))).equals(Buffer.alloc(64 * 1024))).toBe(true);
  });
});
