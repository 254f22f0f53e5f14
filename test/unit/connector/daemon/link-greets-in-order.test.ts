import { describe, expect, it } from '@jest/globals';
import { settled } from './doubles.ts';
import { lastSocket, startLink } from './linked.ts';

describe('the greeting', () => {
  it('is hello, proof over the nonce, and the generation acknowledged only when it is on the disk', async () => {
    const stored = Promise.withResolvers<void>();
    const linked = startLink({ storeWelcome: () => stored.promise });
    const socket = lastSocket(linked);
    await settled();
    expect(socket.sent).toMatchObject([{ type: 'hello', connectorId: 'con-1', instanceId: 'run-1', generation: 1 }]);
    await socket.says({ type: 'challenge', nonce: 'n0nce' });
    expect(socket.sent.at(-1)).toEqual({ type: 'proof', signature: 'signed ips.link.v1 proof|n0nce|con-1|run-1|1' });
    await socket.says({ type: 'welcome', generation: 2, leaseTtlMs: 1000, pins: [], jobs: [] });
    // What comes meanwhile waits its turn.
    await socket.says({ type: 'eventsStored', upTo: [] });
    expect(socket.sent.map(({ type }) => type)).toEqual(['hello', 'proof']);
    expect(linked.told).toEqual([]);
    expect(linked.link.send({ type: 'renew', n: 1, leases: [] })).toBe(false);
    stored.resolve();
    await settled();
    expect(socket.sent.at(-1)).toEqual({ type: 'generationStored', generation: 2 });
    expect(linked.told).toEqual(['up', 'eventsStored']);
    expect(linked.link.send({ type: 'renew', n: 1, leases: [] })).toBe(true);
    await linked.stop();
  });

  it('that the disk did not take is no link', async () => {
    const linked = startLink({ storeWelcome: () => Promise.reject(new Error('no space left')) });
    const socket = lastSocket(linked);
    await socket.welcomes();
    expect(socket.terminated).toBe(true);
    expect(socket.sent.map(({ type }) => type)).not.toContain('generationStored');
    expect(linked.lines.at(-1)).toMatchObject({ reason: expect.stringContaining('no space left') });
    await linked.stop();
  });
});
