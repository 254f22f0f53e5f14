/**
 * The client of the engine's API (protocol/engine.ts). One connection a request, each proven by `connectEngine` before
 * a byte is sent; each request has a time limit; every answer carries the engine's boot id, and another one than
 * expected ends the attempt with ENGINE_LOST. What it throws: `EngineSilence` (try again if you like),
 * `EngineStranger`, `TooLate`, or the `IpsError` that the engine answered.
 */
import { type IncomingMessage, request } from 'node:http';
import type { z } from 'zod';
import { type Clock, deadlineSignal } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import {
  BOOT_ID_HEADER,
  ENGINE_PATHS,
  type EngineEvent,
  type EngineStatus,
  type EngineTask,
  engineEventSchema,
  engineStatusSchema,
} from '../protocol/engine.ts';
import { IpsError, isErrorCode } from '../protocol/errors.ts';
import { errorReportSchema } from '../protocol/job.ts';
import type { Token } from '../protocol/token.ts';
import { connectEngine, type EngineAddress, EngineSilence, type PresharedKey } from './engine-tls.ts';

/** Time limit of one exchange, in ms. */
const EXCHANGE_MS = 20_000;
/** The rename waits for the file server, so commit has a longer one, in ms. */
const COMMIT_MS = 120_000;
/** A stream of events that is silent this long is opened anew, in ms: a dead peer and a quiet one look the same. */
const EVENTS_IDLE_MS = 30_000;
/** Largest answer or event line taken, in bytes. */
const MAX_BYTES = 1024 * 1024;

/** The time had passed by which it was to be sent: the engine was not asked. */
export class TooLate extends Error {
  override readonly name = 'TooLate';
}

interface Exchange {
  /** What it is, for the doors. */
  what: string;
  method: 'GET' | 'PUT' | 'POST';
  path: string;
  body?: object;
  limitMs?: number;
  /** Monotonic time, in ms, from which on it is not sent any more. */
  before?: number;
}

export class EngineClient {
  readonly #address: EngineAddress;
  readonly #key: PresharedKey;
  readonly #doors: Doors;
  readonly #clock: Clock;
  readonly #bootId: string | undefined;

  /** @param bootId what every answer must carry; undefined on the first connection, which learns it */
  constructor(
    address: EngineAddress,
    key: PresharedKey,
    tools: { doors: Doors; clock: Clock },
    bootId?: string | undefined,
  ) {
    this.#address = address;
    this.#key = key;
    this.#doors = tools.doors;
    this.#clock = tools.clock;
    this.#bootId = bootId;
  }

  /** Hands over the session key; from then on only that opens anything. */
  async putSession(sessionKey: Buffer, signal: AbortSignal): Promise<EngineStatus> {
    const body = { sessionKey: sessionKey.toString('hex') };
    const exchange: Exchange = { what: 'session', method: 'PUT', path: ENGINE_PATHS.session, body };
    return parse(engineStatusSchema, await this.#exchange(exchange, signal));
  }

  /** Who is there. */
  async status(signal: AbortSignal): Promise<EngineStatus> {
    const exchange: Exchange = { what: 'status', method: 'GET', path: ENGINE_PATHS.status };
    return parse(engineStatusSchema, await this.#exchange(exchange, signal));
  }

  /** Starts the task; the same task again is answered and changes nothing. */
  async putTask(task: EngineTask, signal: AbortSignal): Promise<void> {
    await this.#exchange({ what: 'task', method: 'PUT', path: ENGINE_PATHS.task, body: task }, signal);
  }

  /** Moves the engine's deadline to `seconds` from now; the engine never goes beyond its hard one. */
  async putDeadline(seconds: number, signal: AbortSignal): Promise<void> {
    await this.#exchange({ what: 'deadline', method: 'PUT', path: ENGINE_PATHS.deadline, body: { seconds } }, signal);
  }

  async cancel(signal: AbortSignal): Promise<void> {
    await this.#exchange({ what: 'cancel', method: 'POST', path: ENGINE_PATHS.cancel, body: {} }, signal);
  }

  /**
   * Renames the verified file to its final name; again after it was done, it is answered and changes nothing.
   * @param before monotonic time, in ms, from which on it is not sent any more
   * @throws TooLate
   */
  async commit(token: Token, signal: AbortSignal, before = Number.POSITIVE_INFINITY): Promise<void> {
    const exchange: Exchange = { what: 'commit', method: 'POST', path: ENGINE_PATHS.commit, body: { token } };
    await this.#exchange({ ...exchange, limitMs: COMMIT_MS, before }, signal);
  }

  /** Nothing more is wanted: the engine powers itself off. */
  async finish(signal: AbortSignal): Promise<void> {
    await this.#exchange({ what: 'finish', method: 'POST', path: ENGINE_PATHS.finish, body: {} }, signal);
  }

  /** Events after number `after`, until the connection ends or is quiet for too long; then the caller opens it anew. */
  async *events(after: number, signal: AbortSignal): AsyncGenerator<EngineEvent> {
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    let idle = this.#clock.after(EVENTS_IDLE_MS, () => stop.abort(new EngineSilence('no event for a while')));
    let opened = false;
    try {
      const response = await this.#doors.pass('send', 'engine.events', () =>
        this.#open({ what: 'events', method: 'GET', path: `${ENGINE_PATHS.events}?after=${after}` }, both),
      );
      if (response.statusCode !== 200) throw refusal(response.statusCode, await readAll(response, both));
      opened = true;
      for await (const line of lines(response, both)) {
        idle.cancel();
        idle = this.#clock.after(EVENTS_IDLE_MS, () => stop.abort(new EngineSilence('no event for a while')));
        if (line === '') continue;
        const event = parse(engineEventSchema, json(line));
        this.#checkBootId(event.bootId);
        yield event;
      }
    } catch (error) {
      if (opened && stop.signal.aborted && !signal.aborted) return;
      throw error;
    } finally {
      idle.cancel();
      stop.abort();
    }
  }

  async #exchange(exchange: Exchange, signal: AbortSignal): Promise<unknown> {
    const { what, limitMs = EXCHANGE_MS } = exchange;
    const limit = deadlineSignal(this.#clock, limitMs, () => new EngineSilence(`no answer to ${what}`), signal);
    try {
      return await this.#doors.pass('send', `engine.${what}`, async () => {
        const response = await this.#open(exchange, limit.signal);
        const text = await readAll(response, limit.signal);
        if ((response.statusCode ?? 500) >= 400) throw refusal(response.statusCode, text);
        return text === '' ? {} : json(text);
      });
    } finally {
      limit.release();
    }
  }

  async #open({ what, method, path, body, before }: Exchange, signal: AbortSignal): Promise<IncomingMessage> {
    const socket = await connectEngine(this.#address, this.#key, signal);
    if (before !== undefined && this.#clock.monotonic() >= before) {
      socket.destroy();
      throw new TooLate(`${what} was not sent in time`);
    }
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body), 'utf8');
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const broken = (error: Error) => reject(signal.aborted ? signal.reason : new EngineSilence(error.message));
      const call = request({
        host: this.#address.host,
        port: this.#address.port,
        method,
        path,
        createConnection: () => socket,
        signal,
        headers: payload ? { 'content-type': 'application/json', 'content-length': payload.length } : {},
      });
      call.once('error', broken);
      call.once('response', resolve);
      call.end(payload);
    });
    // The body's own reader reports failures; without a listener an early one would end the process.
    response.on('error', () => undefined);
    const bootId = response.headers[BOOT_ID_HEADER];
    if (typeof bootId === 'string') this.#checkBootId(bootId);
    return response;
  }

  #checkBootId(bootId: string): void {
    if (this.#bootId !== undefined && bootId !== this.#bootId)
      throw new IpsError('ENGINE_LOST', 'It was restarted: its boot id has changed.');
  }
}

async function* lines(response: IncomingMessage, signal: AbortSignal): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks(response, signal)) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > MAX_BYTES) throw new IpsError('ENGINE_REFUSED', 'It sent an endless line.');
    yield* parts;
  }
}

async function readAll(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  let text = '';
  for await (const chunk of chunks(response, signal)) {
    text += chunk;
    if (text.length > MAX_BYTES) throw new IpsError('ENGINE_REFUSED', 'Its answer is too long.');
  }
  return text;
}

/** The body; a connection that breaks is silence, unless we broke it ourselves. */
async function* chunks(response: IncomingMessage, signal: AbortSignal): AsyncGenerator<string> {
  const aborted = () => response.destroy(new Error('aborted'));
  signal.addEventListener('abort', aborted, { once: true });
  try {
    response.setEncoding('utf8');
    yield* response;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw new EngineSilence(error instanceof Error ? error.message : String(error));
  } finally {
    signal.removeEventListener('abort', aborted);
    response.destroy();
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new IpsError('ENGINE_REFUSED', 'What it sent is no JSON.');
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new IpsError('ENGINE_REFUSED', 'What it sent does not fit the protocol.');
  return parsed.data;
}

/** A failing answer as the error that it reports. */
function refusal(status: number | undefined, text: string): IpsError {
  try {
    const report = errorReportSchema.safeParse(JSON.parse(text));
    const { code, message, hint } = report.data ?? {};
    if (isErrorCode(code) && message !== undefined && hint !== undefined) return IpsError.from({ code, message, hint });
  } catch {
    // Not JSON: the status has to do.
  }
  return new IpsError('ENGINE_REFUSED', `HTTP status ${status}.`);
}
