/**
 * The sockets: takes the HTTP upgrade, bounds who may wait unproven, pings, and gives frames to sessions. One of the
 * two files of the cloud that touch the network.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Doors } from '../../lib/doors.ts';
import {
  LINK_DEAD_AFTER_MS,
  LINK_MAX_FRAME_BYTES,
  LINK_PATH,
  LINK_PING_MS,
  LINK_SUBPROTOCOL,
  type ToConnector,
} from '../../protocol/link.ts';
import type { LinkDesk } from './link-desk.ts';
import { CLOSE, Session } from './session.ts';

/** Milliseconds within which a caller must have proved who it is. */
const PROVE_WITHIN_MS = 10_000;
/** Sockets that may wait unproven at one time. */
const MAX_UNPROVEN = 1_000;
/** Bytes that may wait for a slow reader. */
const MAX_BUFFERED = 8 * 1024 * 1024;
/** Milliseconds between two looks at the silence of peers. */
const LOOK_EVERY_MS = 5_000;
/** Milliseconds for the closing handshake. */
const CLOSE_WITHIN_MS = 2_000;

interface Peer {
  socket: WebSocket;
  session: Session;
  heardAt: number;
  pingedAt: number;
}

export class Hub {
  readonly #server: WebSocketServer;
  readonly #desk: LinkDesk;
  readonly #clock: Clock;
  readonly #doors: Doors;
  readonly #peers = new Set<Peer>();
  #timer: Timer | undefined;

  constructor(desk: LinkDesk, clock: Clock, doors: Doors) {
    this.#desk = desk;
    this.#clock = clock;
    this.#doors = doors;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: LINK_MAX_FRAME_BYTES,
      handleProtocols: () => LINK_SUBPROTOCOL,
    });
  }

  start(): void {
    this.#timer = this.#clock.every(LOOK_EVERY_MS, () => this.#look(), { background: true });
  }

  /** Closes every connection; connectors come back when the service does. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    await Promise.all([...this.#peers].map(({ session }) => session.close(CLOSE.goingAway, 'the service is stopping')));
  }

  /** An HTTP upgrade, of whatever path and protocol. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const [path] = (request.url ?? '').split('?');
    const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    const unproven = [...this.#peers].filter(({ session }) => !session.isOpen).length;
    if (path !== LINK_PATH) refuse(socket, '404 Not Found');
    else if (!protocols.includes(LINK_SUBPROTOCOL)) refuse(socket, '400 Bad Request');
    else if (unproven >= MAX_UNPROVEN) refuse(socket, '503 Service Unavailable');
    else this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#connected(webSocket));
  }

  #connected(socket: WebSocket): void {
    const now = this.#clock.monotonic();
    const session = new Session(this.#desk, {
      send: (message) => this.#send(socket, message),
      close: (code, reason) => this.#close(socket, code, reason),
    });
    const peer: Peer = { socket, session, heardAt: now, pingedAt: now };
    this.#peers.add(peer);
    this.#clock.after(
      PROVE_WITHIN_MS,
      () => {
        if (!session.isOpen && this.#peers.has(peer)) void session.close(CLOSE.tooSlow, 'no proof in time');
      },
      { background: true },
    );
    const heard = () => {
      peer.heardAt = this.#clock.monotonic();
    };
    socket.on('ping', heard);
    socket.on('pong', heard);
    socket.on('message', (data: RawData, isBinary: boolean) => {
      heard();
      if (isBinary) {
        void session.close(CLOSE.badMessage, 'text frames only');
        return;
      }
      // One frame at a time is in hand: a sender that is faster than the store waits in its own buffers.
      socket.pause();
      void session.receive(data.toString()).then(() => socket.resume());
    });
    // The close event follows and does the work; frames that are too large come here first.
    socket.on('error', (error) => this.#desk.tools.log.info('a link was broken', { message: error.message }));
    socket.on('close', () => {
      this.#peers.delete(peer);
      void session.closed();
    });
  }

  #send(socket: WebSocket, message: ToConnector): void {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > MAX_BUFFERED) {
      socket.terminate();
      return;
    }
    this.#doors.passSync('send', `link.${message.type}`, () => socket.send(JSON.stringify(message)));
  }

  #close(socket: WebSocket, code: number, reason: string): void {
    // A close reason has 123 bytes at most (RFC 6455 section 5.5).
    socket.close(code, Buffer.from(reason).subarray(0, 120).toString());
    socket.resume();
    this.#clock.after(CLOSE_WITHIN_MS, () => socket.terminate(), { background: true });
  }

  #look(): void {
    const now = this.#clock.monotonic();
    for (const peer of this.#peers) {
      if (now - peer.heardAt > LINK_DEAD_AFTER_MS) peer.socket.terminate();
      else if (now - peer.pingedAt >= LINK_PING_MS && peer.socket.readyState === WebSocket.OPEN) {
        peer.pingedAt = now;
        peer.socket.ping();
      }
    }
  }
}

/** Answers and lets go: an upgraded socket is nobody else's to close. */
function refuse(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
