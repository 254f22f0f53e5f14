import { describe, expect, it } from '@jest/globals';
import { settled } from './doubles.ts';
import { lastSocket, startLink } from './linked.ts';

const WELCOME = { type: 'welcome', generation: 2, leaseTtlMs: 1000, pins: [], jobs: [] } as const;
const NONSENSE: [string, string][] = [
  ['not JSON', '{"type":'],
  ['an unknown type', '{"type":"dance"}'],
  ['a field of another type', '{"type":"renewed","n":"one","refused":[]}'],
  ['a second welcome', JSON.stringify(WELCOME)],
  ['a second challenge', '{"type":"challenge","nonce":"again"}'],
];

describe('a cloud that sends nonsense', () => {
  for (const [what, text] of NONSENSE) {
    it(`(${what}) loses the connection, with the reason in the log`, async () => {
      const linked = startLink();
      const socket = lastSocket(linked);
      await socket.welcomes();
      expect(linked.told).toEqual(['store 2', 'up']);
      await socket.says(text);
      expect(socket.terminated).toBe(true);
      expect(linked.told.at(-1)).toBe('down CLOUD_UNREACHABLE');
      expect(linked.lines.at(-1)?.reason).toMatch(/The link ended: the cloud sent .+/);
      await linked.stop();
    });
  }

  it('(an offer before the welcome) is not obeyed', async () => {
    const linked = startLink();
    const socket = lastSocket(linked);
    await settled();
    await socket.says({ type: 'cancel', jobId: 'job-1', token: '1.1' });
    expect(socket.terminated).toBe(true);
    expect(linked.told).toEqual(['down CLOUD_UNREACHABLE']);
    await linked.stop();
  });
});
