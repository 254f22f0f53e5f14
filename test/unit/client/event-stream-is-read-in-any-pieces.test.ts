import { describe, expect, it } from '@jest/globals';
import { readEventStream, type ServerSentEvent } from '../../../src/client/event-stream.ts';

const STREAM =
  ': hello\r\n\r\nid: 1\ndata: {"a":"ü"}\n\nevent: progress\ndata:{"b":1}\n\n:x\n\ndata: one\ndata: two\nid: 2\n\nid: 3\n\n';
const EVENTS = [
  { event: 'message', id: '1', data: '{"a":"ü"}' },
  { event: 'progress', id: undefined, data: '{"b":1}' },
  { event: 'message', id: '2', data: 'one\ntwo' },
];

async function read(pieces: Iterable<Uint8Array>): Promise<ServerSentEvent[]> {
  async function* source() {
    yield* pieces;
  }
  const events: ServerSentEvent[] = [];
  for await (const event of readEventStream(source())) events.push(event);
  return events;
}

describe('an event stream', () => {
  it('is read the same in pieces of any size, also within a character', async () => {
    const bytes = Buffer.from(STREAM);
    for (const size of [1, 2, 3, 7, bytes.length]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
        bytes.subarray(n * size, (n + 1) * size),
      );
      expect(await read(pieces)).toEqual(EVENTS);
    }
  });

  it('that breaks off gives no half event', async () => {
    expect(await read([Buffer.from('id: 1\ndata: whole\n\nid: 2\ndata: half\n')])).toEqual([
      { event: 'message', id: '1', data: 'whole' },
    ]);
  });

  it('with a line that never ends is given up', async () => {
    const piece = Buffer.alloc(1024 * 1024, 'x');
    await expect(read(Array.from({ length: 8 }, () => piece))).rejects.toThrow('too long');
  });
});
