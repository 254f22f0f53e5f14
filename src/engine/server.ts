/**
 * The engine's one listener: HTTPS with TLS 1.2, ECDHE-PSK, no certificate. A client that cannot prove a key that opens
 * something now ends in the handshake. Sessions are never resumed, so each connection proves its key itself.
 */
import { constants } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import { BOOT_ID_HEADER, BOOT_IDENTITY, ENGINE_TLS } from '../protocol/engine.ts';
import { IpsError } from '../protocol/errors.ts';
import type { Agent } from './agent.ts';
import { route } from './router.ts';

const MAX_CONNECTIONS = 32;
const HANDSHAKE_MS = 10_000;
const REQUEST_MS = 30_000;
/** An empty line goes into a quiet stream of events this often, so that both ends notice a dead peer, in ms. */
const HEARTBEAT_MS = 10_000;

export interface ServerOptions {
  agent: Agent;
  clock: Clock;
  doors: Doors;
  host: string;
  port: number;
  /** Called when `finish` was answered. */
  onFinished: () => void;
}

export class EngineServer {
  readonly #options: ServerOptions;
  readonly #server: Server;
  /** Which name each connection proved. */
  readonly #identities = new WeakMap<Socket, string>();
  readonly #bootConnections = new Set<Socket>();

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#server = createServer({
      ...ENGINE_TLS,
      secureOptions: constants.SSL_OP_NO_TICKET,
      handshakeTimeout: HANDSHAKE_MS,
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      pskCallback: (socket, identity) => this.#proven(socket, identity),
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy());
    this.#server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  /** @returns the port, in case the system chose it */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  #proven(socket: Socket, identity: string): Buffer | null {
    const key = this.#options.agent.keys.keyFor(identity);
    if (key === null) return null;
    this.#identities.set(socket, identity);
    if (identity === BOOT_IDENTITY) {
      this.#bootConnections.add(socket);
      socket.once('close', () => this.#bootConnections.delete(socket));
    }
    return key;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { agent, doors, onFinished } = this.#options;
    const answer = await route(agent, {
      method: request.method ?? '',
      url: request.url ?? '/',
      identity: this.#identities.get(request.socket),
      readJson: (limit) => readJson(request, limit),
    });
    response.setHeader(BOOT_ID_HEADER, agent.bootId);
    if (answer.kind === 'events') {
      await this.#stream(answer.after, response);
      return;
    }
    const text = JSON.stringify(answer.body);
    await doors.pass('send', 'engine.answer', async () => {
      response.writeHead(answer.status, { 'content-type': 'application/json', connection: 'close' });
      await new Promise<void>((resolve) => {
        response.once('close', resolve);
        response.end(text, () => resolve());
      });
    });
    if (answer.afterwards === 'closeBootConnections') {
      for (const socket of this.#bootConnections) if (socket !== request.socket) socket.destroy();
    }
    if (answer.afterwards === 'end') onFinished();
  }

  /** Sends what there is and what comes, at the reader's pace, until the reader goes. */
  async #stream(after: number, response: ServerResponse): Promise<void> {
    const { agent, clock, doors } = this.#options;
    const gone = new Promise<void>((resolve) => response.once('close', resolve));
    response.writeHead(200, { 'content-type': 'application/x-ndjson', connection: 'close' });
    response.flushHeaders();
    const heartbeat = clock.every(HEARTBEAT_MS, () => response.writableLength === 0 && response.write('\n'));
    let cursor = after;
    try {
      while (!response.destroyed) {
        const changed = agent.events.changed();
        for (const event of agent.events.after(cursor)) {
          if (response.destroyed) break;
          cursor = event.seq;
          const line = `${JSON.stringify(event)}\n`;
          const taken = doors.passSync('send', 'engine.event', () => response.write(line));
          if (!taken) await Promise.race([gone, new Promise((resolve) => response.once('drain', resolve))]);
        }
        await Promise.race([gone, changed]);
      }
    } finally {
      heartbeat.cancel();
    }
  }
}

async function readJson(request: IncomingMessage, limit: number): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > limit) throw new IpsError('REQUEST_INVALID', `It is longer than ${limit} bytes.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new IpsError('REQUEST_INVALID', 'It is no JSON.');
  }
}
