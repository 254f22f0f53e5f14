import { describe, expect, it } from '@jest/globals';
import { settled } from './doubles.ts';
import { lastSocket, startLink } from './linked.ts';

describe('a link whose cloud is away', () => {
  it('is tried with growing delays up to a minute, for ever, and says when it tries next', async () => {
    const linked = startLink();
    linked.setAway(true);
    lastSocket(linked).close('gone');
    await settled();
    await linked.clock.pass(600_000, 250);
    const delays = linked.tries.slice(1).map((at, index) => at - (linked.tries[index] ?? 0));
    expect(delays.slice(0, 7)).toEqual([750, 1500, 3000, 6000, 12_000, 24_000, 45_000]);
    expect(new Set(delays.slice(6))).toEqual(new Set([45_000]));
    expect(linked.lines.at(-1)).toMatchObject({ level: 'warn', code: 'CLOUD_UNREACHABLE', nextTryInSeconds: 45 });
    const planned = Date.parse(String(linked.lines.at(-1)?.nextTryAt));
    expect(planned).toBe((linked.tries.at(-1) ?? 0) + 45_000);
    await linked.stop();
  });

  it('starts with a small delay again after a connection that lasted', async () => {
    const linked = startLink();
    linked.setAway(true);
    lastSocket(linked).close('gone');
    await linked.clock.pass(60_000);
    linked.setAway(false);
    await linked.clock.pass(45_000);
    const socket = lastSocket(linked);
    await socket.welcomes();
    socket.listener.onHeard();
    await linked.clock.pass(15_000);
    socket.close('gone');
    const cutAt = linked.clock.monotonic();
    await settled();
    await linked.clock.pass(2_000, 250);
    expect((linked.tries.at(-1) ?? 0) - cutAt).toBe(750);
    await linked.stop();
  });

  it('is tried again when somebody answers the call and then nothing, or too slowly', async () => {
    const linked = startLink();
    linked.setAway('silent');
    lastSocket(linked).terminate();
    await settled();
    await linked.clock.pass(1_000, 250);
    expect(linked.tries).toHaveLength(2);
    await linked.clock.pass(39_000);
    expect(linked.told).toHaveLength(1);
    await linked.clock.pass(5_000);
    expect(linked.told).toEqual(['down CLOUD_UNREACHABLE', 'down CLOUD_UNREACHABLE']);
    linked.setAway(false);
    while (linked.sockets.length < 2) await linked.clock.pass(250, 250);
    await lastSocket(linked).welcomes();
    expect(linked.told.at(-1)).toBe('up');
    await linked.stop();
  });

  it('stops at once when it is told to', async () => {
    const linked = startLink();
    linked.setAway(true);
    lastSocket(linked).close('gone');
    await settled();
    await linked.stop();
    expect(linked.tries).toHaveLength(1);
  });
});
