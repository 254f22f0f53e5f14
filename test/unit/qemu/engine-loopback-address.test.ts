import { describe, expect, it } from '@jest/globals';
import { engineLoopback } from '../../../providers/qemu/loopback.ts';

describe('the loopback address of an engine', () => {
  it('follows from job, token and attempt', () => {
    expect(engineLoopback('job-a', '1.1', 0)).toBe(engineLoopback('job-a', '1.1', 0));
    const others = [
      engineLoopback('job-b', '1.1', 0),
      engineLoopback('job-a', '1.2', 0),
      engineLoopback('job-a', '1.1', 1),
    ];
    for (const other of others) expect(other).not.toBe(engineLoopback('job-a', '1.1', 0));
  });

  it('lies in 127.64.0.0/10 and is no network or broadcast address', () => {
    for (let n = 0; n < 2_000; n += 1) {
      const [a, b, , d] = engineLoopback('job-a', '1.1', n).split('.').map(Number);
      expect(a).toBe(127);
      expect(b).toBeGreaterThanOrEqual(64);
      expect(b).toBeLessThanOrEqual(127);
      expect(d).toBeGreaterThanOrEqual(1);
      expect(d).toBeLessThanOrEqual(254);
    }
  });
});
