import { describe, expect, it } from '@jest/globals';
import { HolderLeases } from '../../../../src/connector/leases.ts';
import { JOB, TestClock } from './doubles.ts';

const OTHER = { jobId: 'job-2', token: '1.7' };
const TTL = 30_000;

function connected(): { clock: TestClock; leases: HolderLeases } {
  const clock = new TestClock();
  const leases = new HolderLeases(clock);
  leases.connected(TTL);
  return { clock, leases };
}

describe('a lease', () => {
  it('counts from when the renewal was sent, not from when it was answered', () => {
    const { clock, leases } = connected();
    const n = leases.renewing([JOB]);
    clock.advance(20_000);
    expect(leases.isValid(JOB)).toBe(false);
    leases.renewed(n, []);
    expect(leases.isValid(JOB)).toBe(true);
    clock.advance(9_999);
    expect(leases.isValid(JOB)).toBe(true);
    clock.advance(1);
    expect(leases.isValid(JOB)).toBe(false);
  });

  it('ends at once when it is refused, and others go on', () => {
    const { leases } = connected();
    leases.renewed(leases.renewing([JOB, OTHER]), [JOB]);
    expect([leases.isValid(JOB), leases.isValid(OTHER)]).toEqual([false, true]);
  });

  it('is not prolonged by an answer that nobody waits for any more', () => {
    const { clock, leases } = connected();
    const n = leases.renewing([JOB]);
    leases.connected(TTL);
    clock.advance(1_000);
    leases.renewed(n, []);
    leases.renewed(4711, []);
    expect(leases.isValid(JOB)).toBe(false);
  });

  it('of another token of the same job is another lease', () => {
    const { leases } = connected();
    leases.renewed(leases.renewing([JOB]), []);
    expect(leases.isValid({ ...JOB, token: '1.2' })).toBe(false);
  });
});
