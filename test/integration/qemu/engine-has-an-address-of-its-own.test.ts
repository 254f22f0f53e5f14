import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { engineLoopback } from '../../../providers/qemu/loopback.ts';
import { newContext } from '../providers/conformance.ts';
import { type QemuSubject, qemuSubject } from './subject.ts';

const never = new AbortController().signal;

describe('the loopback address of an engine', () => {
  let subject: QemuSubject;
  beforeEach(async () => {
    subject = await qemuSubject();
  });
  afterEach(async () => subject.close());

  it('is the next one when somebody has bound the first', async () => {
    const squatter = createServer();
    const context = newContext();
    const first = engineLoopback(context.jobId, context.token, 0);
    await new Promise<void>((listening) => squatter.listen(8443, first, listening));
    const provider = subject.createProvider();
    try {
      await provider.startEngine({ parameters: subject.parameters, userData: Buffer.alloc(16) }, context, never);
      expect(await provider.engineAddress(context, never)).toEqual({
        host: engineLoopback(context.jobId, context.token, 1),
        port: 8443,
      });
    } finally {
      await provider.teardown(context, never);
      await new Promise((closed) => squatter.close(closed));
    }
  });

  it('is not found when the port is taken everywhere, and the error tells how to see by whom', async () => {
    const context = newContext();
    // Not on 0.0.0.0, which would do the same: other tests need the port too.
    const addresses = Array.from({ length: 16 }, (_, attempt) => engineLoopback(context.jobId, context.token, attempt));
    const squatters = addresses.map((address) => createServer().listen(8443, address));
    const provider = subject.createProvider();
    try {
      const start = provider.startEngine(
        { parameters: subject.parameters, userData: Buffer.alloc(16) },
        context,
        never,
      );
      await expect(start).rejects.toMatchObject({
        code: 'ENGINE_START_FAILED',
        message: expect.stringContaining('Port 8443 was taken'),
        hint: expect.stringMatching(/0\.0\.0\.0:8443.*ss -ltnp 'sport = :8443'/),
      });
    } finally {
      await provider.teardown(context, never);
      for (const squatter of squatters) squatter.close();
    }
  });

  it('is told to another process by the VM itself, and ends with it', async () => {
    const context = newContext();
    await subject
      .createProvider()
      .startEngine({ parameters: subject.parameters, userData: Buffer.alloc(16) }, context, never);
    const address = await subject.createProvider().engineAddress(context, never);
    expect(address?.host).toBe(engineLoopback(context.jobId, context.token, 0));
    await subject.createProvider().teardown(context, never);
    const probe = createServer();
    await new Promise<void>((listening, failed) => {
      probe.once('error', failed);
      probe.listen(8443, address?.host, listening);
    });
    await new Promise((closed) => probe.close(closed));
  });
});
