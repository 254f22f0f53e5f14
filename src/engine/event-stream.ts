/** One reader's stream of events: what there is and what comes, a line each, at the reader's pace, until the reader goes. */
import type { Writable } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import type { EventLog } from './event-log.ts';

/** An empty line goes into a quiet stream this often, so that both ends notice a dead peer, in ms. */
const HEARTBEAT_MS = 10_000;

/** @param after number of the last event that the reader has seen */
export async function sendEvents(
  events: EventLog,
  after: number,
  reader: Writable,
  { clock, doors }: { clock: Clock; doors: Doors },
): Promise<void> {
  const heartbeat = clock.every(HEARTBEAT_MS, () => reader.writableLength === 0 && reader.write('\n'));
  // One promise a turn. A race with one that lives as long as the stream would leave something behind at each turn.
  let wake = () => {};
  reader.on('close', () => wake());
  reader.on('drain', () => wake());
  let cursor = after;
  try {
    while (!reader.destroyed) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      void events.changed().then(wake);
      for (const event of events.after(cursor)) {
        if (reader.destroyed || reader.writableNeedDrain) break;
        cursor = event.seq;
        const line = `${JSON.stringify(event)}\n`;
        doors.passSync('send', 'engine.event', () => reader.write(line));
      }
      await woken;
    }
  } finally {
    heartbeat.cancel();
  }
}
