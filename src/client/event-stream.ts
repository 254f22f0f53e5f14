/** Server-sent events (WHATWG HTML, "Server-sent events", section 9.2.6) out of a stream of bytes. */

export interface ServerSentEvent {
  /** `message` when the server named none. */
  event: string;
  id: string | undefined;
  data: string;
}

/** Longest line that is taken, in characters. */
const LINE_LIMIT = 4 * 1024 * 1024;

/** @throws Error when a line is longer than any of ours */
export async function* readEventStream(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  let event = '';
  let id: string | undefined;
  let data: string[] = [];
  for await (const line of readLines(bytes)) {
    if (line === '') {
      if (data.length > 0) yield { event: event || 'message', id, data: data.join('\n') };
      event = '';
      id = undefined;
      data = [];
      continue;
    }
    const colon = line.indexOf(':');
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') event = value;
    else if (field === 'id') id = value;
    else if (field === 'data') data.push(value);
  }
}

async function* readLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/);
    rest = lines.pop() ?? '';
    if (rest.length > LINE_LIMIT) throw new Error('a line of the event stream is too long');
    yield* lines;
  }
}
