/** A reader that comes back with its last number sees every event since, but of progress only the newest. */
import { describe, expect, it } from '@jest/globals';
import { EventLog } from '../../../src/engine/event-log.ts';
import type { EngineEventBody } from '../../../src/protocol/engine.ts';

const step = (name: 'copy' | 'verify'): EngineEventBody => ({ kind: 'step', step: name });
const progress = (bytesDone: number): EngineEventBody => ({
  kind: 'progress',
  step: 'copy',
  bytesDone,
  bytesTotal: 100,
  bytesRead: 0,
  bytesSkipped: 0,
  bytesWritten: 0,
  rate: 0,
});

describe('the event log', () => {
  it('gives a late reader all events but the replaced progress, in ascending numbers', () => {
    const log = new EventLog('boot');
    log.append(step('copy'));
    for (let done = 0; done < 1000; done++) log.append(progress(done));
    log.append(step('verify'));
    log.append({ kind: 'cancelled' });
    const events = log.after(0);
    expect(events.map(({ seq }) => seq)).toEqual([1, 1001, 1002, 1003]);
    expect(events[1]?.body).toEqual(progress(999));
    expect(events.every(({ bootId }) => bootId === 'boot')).toBe(true);
  });

  it('goes on behind any number a reader has seen, also one that was replaced since', () => {
    const log = new EventLog('boot');
    log.append(step('copy'));
    log.append(progress(1));
    log.append(progress(2));
    log.append(step('verify'));
    expect(log.after(2).map(({ seq }) => seq)).toEqual([3, 4]);
    expect(log.after(4)).toEqual([]);
    expect(log.after(99)).toEqual([]);
  });

  it('wakes a reader that waits', async () => {
    const log = new EventLog('boot');
    const waiting = [log.changed(), log.changed()];
    log.append(step('copy'));
    await Promise.all(waiting);
    expect(log.after(0)).toHaveLength(1);
  });

  it('bounds its log lines and nothing else', () => {
    const log = new EventLog('boot');
    for (let line = 0; line < 5000; line++) log.append({ kind: 'log', level: 'info', message: `${line}` });
    log.append({ kind: 'committed' });
    expect(log.after(0).length).toBeLessThan(600);
    expect(log.after(0).at(-1)?.body).toEqual({ kind: 'committed' });
  });
});
