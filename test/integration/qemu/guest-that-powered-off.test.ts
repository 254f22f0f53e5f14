import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newContext } from '../providers/conformance.ts';
import { type QemuSubject, qemuSubject } from './subject.ts';

const never = new AbortController().signal;

describe('an engine that powered itself off', () => {
  let subject: QemuSubject;
  beforeEach(async () => {
    // So much to print that the guest is still at it when QEMU is asked whether it is up, also on a busy machine.
    subject = await qemuSubject('powersOff', `${'x'.repeat(500_000)}\nlast words\n`);
  });
  afterEach(async () => subject.close());

  it('is not alive, is not started again, still shows its console, and is removed', async () => {
    const context = newContext();
    const provider = subject.createProvider();
    const start = () =>
      provider.startEngine({ parameters: subject.parameters, userData: Buffer.alloc(16) }, context, never);
    await start();
    while (await provider.engineAlive(context, never)) await sleep(20);
    expect(await provider.engineAddress(context, never)).toBeUndefined();
    expect(await provider.console(context, never)).toContain('last words');
    await expect(start()).rejects.toMatchObject({ code: 'ENGINE_LOST' });
    await provider.teardown(context, never);
    expect(context.ledger.open()).toEqual([]);
    expect(await provider.list(never)).toEqual([]);
  });
});
