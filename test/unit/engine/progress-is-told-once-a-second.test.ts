/** Many advances, one event a second with the rate over the last seconds, and a last one at the end. */
import { describe, expect, it } from '@jest/globals';
import { ProgressMeter } from '../../../src/engine/progress.ts';
import type { EngineEventBody } from '../../../src/protocol/engine.ts';
import { ManualClock } from './manual-clock.ts';

function start() {
  const clock = new ManualClock();
  const events: EngineEventBody[] = [];
  const meter = new ProgressMeter(clock, (event) => events.push(event), 'copy', 10_000);
  const advance = (bytesDone: number) =>
    meter.advance({ bytesDone, bytesRead: bytesDone, bytesSkipped: 1, bytesWritten: 2 });
  return { clock, events, meter, advance };
}

describe('progress', () => {
  it('is silent until something was done', () => {
    const { clock, events } = start();
    clock.advance(5000);
    expect(events).toEqual([]);
  });

  it('comes once a second, with the newest numbers', () => {
    const { clock, events, advance } = start();
    for (let tick = 1; tick <= 30; tick++) {
      advance(tick * 10);
      clock.advance(100);
    }
    expect(events).toHaveLength(3);
    expect(events[2]).toEqual({
      kind: 'progress',
      step: 'copy',
      bytesDone: 300,
      bytesTotal: 10_000,
      bytesRead: 300,
      bytesSkipped: 1,
      bytesWritten: 2,
      rate: 100,
    });
  });

  it('tells the rate of the last five seconds', () => {
    const { clock, events, advance } = start();
    advance(1000);
    for (let second = 0; second < 10; second++) clock.advance(1000);
    expect(events.at(-1)).toMatchObject({ rate: 0 });
    advance(2000);
    clock.advance(1000);
    expect(events.at(-1)).toMatchObject({ rate: 200 });
  });

  it('ends with the last state and leaves no timer', () => {
    const { clock, events, meter, advance } = start();
    advance(10_000);
    meter.stop();
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ bytesDone: 10_000 });
    expect(clock.timers).toBe(0);
  });
});
