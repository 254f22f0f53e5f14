/** A stream of events goes at its reader's pace, ends with the reader, and keeps nothing of what it has sent. */
import { Writable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from '@jest/globals';
import { EventLog } from '../../../src/engine/event-log.ts';
import { sendEvents } from '../../../src/engine/event-stream.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { ManualClock } from './manual-clock.ts';
import { settle } from './scripted-task.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

function start(highWaterMark?: number) {
  const lines: string[] = [];
  /** The reader has taken a line. */
  const taken: (() => void)[] = [];
  const reader = new Writable({
    ...(highWaterMark === undefined ? {} : { highWaterMark }),
    write: (chunk, _encoding, callback) => {
      lines.push(String(chunk));
      if (highWaterMark === undefined) callback();
      else taken.push(callback);
    },
  });
  const events = new EventLog('boot');
  const clock = new ManualClock();
  const sent = sendEvents(events, 0, reader, { clock, doors: new Doors() });
  const log = (message: string) => events.append({ kind: 'log', level: 'info', message });
  return { events, reader, lines, taken, clock, sent, log };
}

it('sends what there is and what comes, and an empty line when nothing does', async () => {
  const { lines, clock, log } = start();
  log('a');
  await settle();
  log('b');
  await settle();
  expect(lines.map((line) => JSON.parse(line).seq)).toEqual([1, 2]);
  clock.advance(10_000);
  expect(lines.at(-1)).toBe('\n');
});

it('waits for a slow reader, and goes on where it was', async () => {
  const { reader, lines, taken, log } = start(1);
  for (const message of ['a', 'b', 'c']) log(message);
  await settle();
  expect(lines).toHaveLength(1);
  expect(reader.writableLength).toBe(lines[0]?.length);
  while (taken.length > 0) {
    taken.shift()?.();
    await settle();
  }
  expect(lines.map((line) => JSON.parse(line).seq)).toEqual([1, 2, 3]);
});

it('ends when the reader goes, and leaves no timer', async () => {
  const { reader, sent, clock } = start();
  await settle();
  reader.destroy();
  await sent;
  expect(clock.timers).toBe(0);
});

it('keeps nothing of thousands of events', async () => {
  const { events, lines } = start();
  const tell = async (count: number) => {
    for (let done = 0; done < count; done++) {
      const bytes = { bytesDone: done, bytesTotal: count, bytesRead: 0, bytesSkipped: 0, bytesWritten: 0 };
      events.append({ kind: 'progress', step: 'copy', rate: 0, ...bytes });
      await settle();
    }
    expect(lines.length).toBeGreaterThan(0);
    lines.length = 0;
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = await tell(2_000);
  const kept = (await tell(20_000)) - before;
  // A reaction of a promise, kept for each event, would be a hundred bytes and more.
  expect(kept / 20_000).toBeLessThan(40);
});
