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
import { sendEvents } from './event-stream.ts';
import { route } from './router.ts';

/** Connections that have not proven a key yet. A newer one drives out the oldest: idle ones must not keep the connector out. */
const MAX_UNPROVEN = 64;
const HANDSHAKE_MS = 10_000;
const REQUEST_MS = 30_000;

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
  /** By the peer's address and port, the oldest first. */
  readonly #unproven = new Map<string, Socket>();

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
    this.#server.on('connection', (socket: Socket) => this.#came(socket));
    this.#server.on('secureConnection', (socket: Socket) => this.#unproven.delete(peerOf(socket)));
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

  #came(socket: Socket): void {
    const peer = peerOf(socket);
    this.#unproven.set(peer, socket);
    socket.once('close', () => {
      if (this.#unproven.get(peer) === socket) this.#unproven.delete(peer);
    });
    const [oldest] = this.#unproven;
    if (this.#unproven.size <= MAX_UNPROVEN || oldest === undefined) return;
    this.#unproven.delete(oldest[0]);
    oldest[1].destroy();
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
    const { agent, clock, doors, onFinished } = this.#options;
    const answer = await route(agent, {
      method: request.method ?? '',
      url: request.url ?? '/',
      identity: this.#identities.get(request.socket),
      readJson: (limit) => readJson(request, limit),
    });
    response.setHeader(BOOT_ID_HEADER, agent.bootId);
    if (answer.kind === 'events') {
      response.writeHead(200, { 'content-type': 'application/x-ndjson', connection: 'close' });
      response.flushHeaders();
      await sendEvents(agent.events, answer.after, response, { clock, doors });
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
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
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
