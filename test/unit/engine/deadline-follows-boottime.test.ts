/** The engine ends itself by CLOCK_BOOTTIME: extended by a lease holder, never beyond the hard deadline, once. */
import { describe, expect, it } from '@jest/globals';
import { Deadline } from '../../../src/engine/deadline.ts';
import { ManualClock } from './manual-clock.ts';

function start(seconds: number, hardSeconds: number) {
  const clock = new ManualClock();
  const time = { suspendedMs: 0, passed: 0 };
  const deadline = new Deadline({
    clock,
    uptime: () => 5_000_000 + clock.monotonic() + time.suspendedMs,
    seconds,
    hardSeconds,
    onPassed: () => {
      time.passed += 1;
    },
  });
  return { clock, time, deadline };
}

describe('the deadline', () => {
  it('passes once, after its seconds', () => {
    const { clock, time } = start(60, 600);
    clock.advance(59_000);
    expect(time.passed).toBe(0);
    clock.advance(2_000);
    expect(time.passed).toBe(1);
    clock.advance(1_000_000);
    expect(time.passed).toBe(1);
    expect(clock.timers).toBe(0);
  });

  it('is counted from each extension anew', () => {
    const { clock, time, deadline } = start(60, 600);
    for (let minute = 0; minute < 8; minute++) {
      clock.advance(50_000);
      deadline.extend(60);
    }
    expect(time.passed).toBe(0);
    clock.advance(61_000);
    expect(time.passed).toBe(1);
  });

  it('can be brought forward', () => {
    const { clock, time, deadline } = start(500, 600);
    deadline.extend(10);
    clock.advance(11_000);
    expect(time.passed).toBe(1);
  });

  it('never goes beyond the hard one', () => {
    const { clock, time, deadline } = start(60, 100);
    deadline.extend(1_000_000);
    clock.advance(99_000);
    expect(time.passed).toBe(0);
    deadline.extend(1_000_000);
    clock.advance(2_000);
    expect(time.passed).toBe(1);
  });

  it('starts no later than the hard one', () => {
    const { clock, time } = start(1000, 10);
    clock.advance(11_000);
    expect(time.passed).toBe(1);
  });

  it('counts the time that the machine was suspended', () => {
    const { clock, time } = start(60, 600);
    time.suspendedMs = 61_000;
    clock.advance(1_000);
    expect(time.passed).toBe(1);
  });
});
