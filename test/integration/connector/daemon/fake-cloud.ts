/** A cloud that a test speaks for: real TLS, real HTTP and WebSocket, answers as the test wants them. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  LINK_PATH,
  LINK_SUBPROTOCOL,
  type ToCloud,
  type ToConnector,
  toCloudSchema,
} from '../../../../src/protocol/link.ts';
import type { TestCertificate } from '../../../harness/certificates.ts';

export interface HttpCall {
  method: string;
  path: string;
  body: unknown;
}

/** One connection of a connector. */
export class Peer {
  readonly heard: ToCloud[] = [];
  readonly #hello = Promise.withResolvers<void>();
  readonly #socket: WebSocket;
  readonly #waiting: { type: string; found: (message: ToCloud) => void }[] = [];

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const message = toCloudSchema.parse(JSON.parse(data.toString()));
      this.heard.push(message);
      if (message.type === 'hello') this.#hello.resolve();
      const index = this.#waiting.findIndex(({ type }) => type === message.type);
      if (index !== -1) this.#waiting.splice(index, 1)[0]?.found(message);
    });
  }

  get extensions(): string {
    return this.#socket.extensions;
  }

  /** The next message of this type that was not waited for yet. */
  async next<T extends ToCloud['type']>(type: T): Promise<Extract<ToCloud, { type: T }>> {
    const index = this.heard.findIndex((message) => message.type === type);
    const message =
      index === -1
        ? await new Promise<ToCloud>((found) => this.#waiting.push({ type, found }))
        : (this.heard[index] as ToCloud);
    this.heard.splice(this.heard.indexOf(message), 1);
    return message as Extract<ToCloud, { type: T }>;
  }

  says(message: ToConnector): void {
    this.#socket.send(JSON.stringify(message));
  }

  async welcomes(welcome: { generation: number; pins?: string[] }): Promise<void> {
    await this.#hello.promise;
    this.says({ type: 'challenge', nonce: 'nonce' });
    await this.next('proof');
    this.says({ type: 'welcome', leaseTtlMs: 30_000, pins: [], jobs: [], ...welcome });
    await this.next('generationStored');
  }

  /** Cuts the connection without a goodbye. */
  cut(): void {
    this.#socket.terminate();
  }
}

export class FakeCloud {
  readonly calls: HttpCall[] = [];
  /** What the next requests are answered with, in order; the last one stays. `cut`: with the end of the connection. */
  answers: ({ status: number; body: unknown } | 'cut')[] = [];
  readonly #server: Server;
  readonly #peers: Peer[] = [];
  readonly #waiting: ((peer: Peer) => void)[] = [];

  constructor(certificate: TestCertificate) {
    this.#server = createServer({ key: certificate.key, cert: certificate.cert }, async (request, response) => {
      const body = await text(request);
      this.calls.push({
        method: request.method ?? '',
        path: request.url ?? '',
        body: body === '' ? undefined : JSON.parse(body),
      });
      const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
      if (answer === 'cut') {
        request.socket.destroy();
        return;
      }
      response.writeHead(answer?.status ?? 500, { 'content-type': 'application/json' });
      response.end(typeof answer?.body === 'string' ? answer.body : JSON.stringify(answer?.body));
    });
    this.#server.on('tlsClientError', () => undefined);
    const sockets = new WebSocketServer({
      server: this.#server,
      path: LINK_PATH,
      handleProtocols: (offered) => (offered.has(LINK_SUBPROTOCOL) ? LINK_SUBPROTOCOL : false),
      perMessageDeflate: true,
    });
    sockets.on('connection', (socket) => {
      const peer = new Peer(socket);
      const waiting = this.#waiting.shift();
      if (waiting) waiting(peer);
      else this.#peers.push(peer);
    });
  }

  static async start(certificate: TestCertificate): Promise<FakeCloud> {
    const cloud = new FakeCloud(certificate);
    cloud.#server.listen(0, '127.0.0.1');
    await once(cloud.#server, 'listening');
    return cloud;
  }

  get url(): URL {
    return new URL(`https://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`);
  }

  use(certificate: TestCertificate): void {
    this.#server.setSecureContext({ key: certificate.key, cert: certificate.cert });
  }

  /** The next connection of a connector. */
  async peer(): Promise<Peer> {
    return this.#peers.shift() ?? (await new Promise((found) => this.#waiting.push(found)));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}
