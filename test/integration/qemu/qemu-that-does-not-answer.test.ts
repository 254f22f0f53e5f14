import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { findVms } from '../../../providers/qemu/vm-process.ts';
import { runTool } from '../../harness/tools.ts';
import { newContext } from '../providers/conformance.ts';
import { napClock } from './nap-clock.ts';
import { type QemuSubject, qemuSubject } from './subject.ts';

const never = new AbortController().signal;

describe('a QEMU that starts and does not answer', () => {
  let subject: QemuSubject;
  let binary: string;
  beforeEach(async () => {
    subject = await qemuSubject();
    binary = join(subject.folder, 'qemu');
    const hold = join(subject.folder, 'hold');
    await runTool('mkfifo', [hold]);
    // It waits without a child, which would look like it until it has become another program.
    await writeFile(binary, `#!/bin/sh\necho start >>'${join(subject.folder, 'starts')}'\nread -r never <'${hold}'\n`);
    await chmod(binary, 0o755);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await subject.close();
  });
  const request = () => ({ parameters: subject.parameters, userData: Buffer.alloc(16) });
  const running = () => findVms(join(subject.stateFolder, 'vms'));
  const starts = async () => (await readFile(join(subject.folder, 'starts'), 'utf8')).split('\n').length - 1;

  it.each([
    ['has no socket', undefined],
    ['listens', "require('node:net').createServer().listen(/unix:([^,]+)/.exec(process.argv.join(' '))[1])"],
  ])('but %s is ended after a minute, and that is what the failure says', async (_, script) => {
    if (script !== undefined) await writeFile(binary, `#!${process.execPath}\n${script}\n`);
    const provider = subject.createProvider({ binary }, { clock: napClock() });
    await expect(provider.startEngine(request(), newContext(), never)).rejects.toMatchObject({
      code: 'ENGINE_START_FAILED',
      message: expect.stringContaining('did not answer in 60 s'),
    });
    expect(await running()).toEqual([]);
  });

  it('is removed by the teardown of a start that was given up meanwhile', async () => {
    const provider = subject.createProvider({ binary });
    const context = newContext();
    const caller = new AbortController();
    const start = provider.startEngine(request(), context, caller.signal);
    const given = expect(start).rejects.toThrow('enough');
    while ((await running()).length === 0) await sleep(10);
    caller.abort(new Error('enough'));
    await given;
    expect(await running()).toHaveLength(1);
    expect(context.ledger.open()).toMatchObject([{ kind: 'qemu.folder' }, { kind: 'qemu.vm', state: 'intent' }]);
    await provider.teardown(context, never);
    expect(context.ledger.open()).toEqual([]);
    expect(await running()).toEqual([]);
  });

  it('and does not end either is followed by no second one', async () => {
    // Signals that have no effect, as while a process waits for a dead disk.
    jest.spyOn(process, 'kill').mockReturnValue(true);
    const provider = subject.createProvider({ binary }, { clock: napClock() });
    const context = newContext();
    const refusal = { code: 'ENGINE_START_FAILED', message: expect.stringContaining('does not end') };
    await expect(provider.startEngine(request(), context, never)).rejects.toMatchObject(refusal);
    await expect(provider.startEngine(request(), context, never)).rejects.toMatchObject(refusal);
    expect(await running()).toHaveLength(1);
    expect(await starts()).toBe(1);
    await provider.teardown(context, never);
    expect(context.ledger.open()).toMatchObject([{ kind: 'qemu.folder' }, { kind: 'qemu.vm' }]);
  });
});
