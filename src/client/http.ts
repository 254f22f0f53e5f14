/**
 * JSON over HTTPS to the cloud service: answers checked against their schemas, problem documents (RFC 9457) turned back
 * into the errors that they tell, server-sent events as an iterable.
 */
import { Agent, type Dispatcher, request } from 'undici';
import type { z } from 'zod';
import type { Clock } from '../lib/clock.ts';
import { deadlineSignal } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import { type PeerTrust, PinnedTls } from '../lib/pinned-tls.ts';
import { IpsError, isErrorCode } from '../protocol/errors.ts';
import { problemSchema } from '../protocol/rest.ts';
import { asCloudError } from './cloud-error.ts';
import { readEventStream, type ServerSentEvent } from './event-stream.ts';

/** Limit of one request, in ms. */
const REQUEST_LIMIT_MS = 30_000;
/** Largest answer that is read, in bytes. */
const ANSWER_LIMIT = 16 * 1024 * 1024;
/** The cloud sends something at least every 15 s on an event stream; silence of this many ms is a dead connection. */
const STREAM_SILENCE_MS = 45_000;

export interface Call<T> {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path and query below the cloud's address. */
  path: string;
  body?: object | undefined;
  headers?: Record<string, string>;
  /** What a success must look like. */
  answer: z.ZodType<T>;
  signal?: AbortSignal | undefined;
}

type Request = Pick<Call<unknown>, 'method' | 'path' | 'body' | 'headers'>;

export class CloudHttp {
  readonly #url: URL;
  readonly #tls: PinnedTls;
  readonly #doors: Doors;
  readonly #clock: Clock;
  readonly #headers: Record<string, string>;
  readonly #interrupted: AbortSignal | undefined;

  /** @param tools.interrupted ends every call that has no signal of its own */
  constructor(
    cloud: { url: URL; trust: PeerTrust; headers?: Record<string, string> },
    tools: { doors: Doors; clock: Clock; interrupted?: AbortSignal },
  ) {
    this.#url = cloud.url;
    this.#tls = new PinnedTls(cloud, tools.doors);
    this.#doors = tools.doors;
    this.#clock = tools.clock;
    this.#headers = cloud.headers ?? {};
    this.#interrupted = tools.interrupted;
  }

  /** @throws IpsError as the cloud refused it, CLOUD_UNREACHABLE, CLOUD_PIN_MISMATCH, CLOUD_CERTIFICATE_REFUSED */
  async call<T>(call: Call<T>): Promise<T> {
    const late = () => new IpsError('CLOUD_UNREACHABLE', `It did not answer in ${REQUEST_LIMIT_MS / 1000} s.`);
    const limit = deadlineSignal(this.#clock, REQUEST_LIMIT_MS, late, call.signal ?? this.#interrupted);
    try {
      return await this.#answered(call, limit.signal, async (response) => {
        const parsed = parseJson(await readAll(response.body));
        if (response.statusCode >= 200 && response.statusCode < 300) {
          const answer = call.answer.safeParse(parsed);
          if (answer.success) return answer.data;
        }
        throw refusal(response.statusCode, parsed);
      });
    } finally {
      limit.release();
    }
  }

  /** The events of a stream until the cloud ends it. @throws IpsError also when the connection breaks */
  async *events(path: string, lastEventId: number, signal: AbortSignal): AsyncGenerator<ServerSentEvent> {
    const headers = { accept: 'text/event-stream', 'last-event-id': String(lastEventId) };
    const { response, dispatcher } = await this.#open({ method: 'GET', path, headers }, signal);
    try {
      if (response.statusCode !== 200) throw refusal(response.statusCode, parseJson(await readAll(response.body)));
      yield* readEventStream(response.body);
    } catch (error) {
      signal.throwIfAborted();
      throw asCloudError(error);
    } finally {
      await dispatcher.destroy();
    }
  }

  async #answered<T>(
    request: Request,
    signal: AbortSignal,
    read: (response: Dispatcher.ResponseData) => Promise<T>,
  ): Promise<T> {
    const { response, dispatcher } = await this.#open(request, signal);
    try {
      return await read(response);
    } catch (error) {
      signal.throwIfAborted();
      throw asCloudError(error);
    } finally {
      await dispatcher.destroy();
    }
  }

  /** Sends a request and returns with the head of its answer. A certificate that was renewed is looked at once more. */
  async #open(
    request: Request,
    signal: AbortSignal,
  ): Promise<{ response: Dispatcher.ResponseData; dispatcher: Agent }> {
    for (let tries = 0; ; tries += 1) {
      let dispatcher: Agent | undefined;
      try {
        const connect = await this.#tls.options(signal);
        dispatcher = new Agent({ connect, headersTimeout: REQUEST_LIMIT_MS, bodyTimeout: STREAM_SILENCE_MS });
        return { response: await this.#send(request, dispatcher, signal), dispatcher };
      } catch (error) {
        await dispatcher?.destroy();
        signal.throwIfAborted();
        this.#tls.forget();
        const known = asCloudError(error);
        // Refused in the handshake, so nothing was sent.
        if (known.code !== 'CLOUD_CERTIFICATE_REFUSED' || tries > 0) throw known;
      }
    }
  }

  async #send(
    { method, path, body, headers }: Request,
    dispatcher: Agent,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    return await this.#doors.pass('send', `http.${method.toLowerCase()}`, () =>
      request(new URL(path, this.#url), {
        dispatcher,
        signal,
        method,
        headers: { ...this.#headers, ...headers, ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      }),
    );
  }
}

async function readAll(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > ANSWER_LIMIT) throw new IpsError('CLOUD_UNREACHABLE', 'Its answer is far too long.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function refusal(status: number, parsed: unknown): IpsError {
  const problem = problemSchema.safeParse(parsed);
  if (!problem.success || !isErrorCode(problem.data.code))
    return new IpsError('CLOUD_UNREACHABLE', `Something else answered there (HTTP ${status}).`);
  const { code, detail, title, hint } = problem.data;
  return IpsError.from({ code, message: detail ?? title, hint });
}

function parseJson(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
