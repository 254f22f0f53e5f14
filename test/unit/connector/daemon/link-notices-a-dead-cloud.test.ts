import { describe, expect, it } from '@jest/globals';
import { lastSocket, startLink } from './linked.ts';

describe('a cloud that falls silent', () => {
  it('is pinged, and noticed within 45 seconds of its last word', async () => {
    const linked = startLink();
    const socket = lastSocket(linked);
    await socket.welcomes();
    // Its pongs keep the link alive for as long as they come.
    for (let ping = 0; ping < 20; ping += 1) {
      await linked.clock.pass(15_000);
      socket.listener.onHeard();
    }
    expect(socket.pings).toBe(20);
    expect(socket.terminated).toBe(false);
    await linked.clock.pass(39_000);
    expect(socket.terminated).toBe(false);
    await linked.clock.pass(6_000);
    expect(socket.terminated).toBe(true);
    expect(linked.told).toContain('down CLOUD_UNREACHABLE');
    await linked.stop();
  });

  it('in the middle of the greeting is dropped too', async () => {
    const linked = startLink();
    const socket = lastSocket(linked);
    await linked.clock.pass(15_000);
    // Pongs alone are no welcome.
    socket.listener.onHeard();
    await linked.clock.pass(16_000);
    expect(socket.terminated).toBe(true);
    await linked.stop();
  });
});
