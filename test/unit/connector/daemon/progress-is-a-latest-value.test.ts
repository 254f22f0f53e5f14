import { describe, expect, it } from '@jest/globals';
import { ProgressRelay } from '../../../../src/connector/progress-relay.ts';
import type { ToCloud } from '../../../../src/protocol/link.ts';
import { JOB, TestClock } from './doubles.ts';

describe('progress', () => {
  it('is sent at most once a second, the latest value, and not at all while the link is down', () => {
    const clock = new TestClock();
    const sent: (number | string)[] = [];
    let isUp = true;
    const relay = new ProgressRelay((message: ToCloud) => {
      if (isUp) sent.push(message.type === 'progress' ? message.progress.overallProgressPercent : message.type);
      return isUp;
    }, clock);
    const report = (percent: number) => relay.report(JOB, { step: 'copy', overallProgressPercent: percent });
    for (const percent of [1, 2, 3]) report(percent);
    expect(sent).toEqual([1]);
    clock.advance(1_000);
    expect(sent).toEqual([1, 3]);
    clock.advance(5_000);
    expect(sent).toEqual([1, 3]);
    isUp = false;
    report(4);
    clock.advance(5_000);
    isUp = true;
    report(5);
    expect(sent).toEqual([1, 3, 5]);
    expect(clock.timers).toBe(1);
  });
});
