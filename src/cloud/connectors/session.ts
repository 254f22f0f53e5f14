/**
 * One connection of one connector: hello → challenge → proof → welcome → open. Messages are handled strictly one after
 * the other; the first one that does not fit its schema or its place closes the connection, with a reason. The session
 * knows no socket, only a wire to send on.
 */
import { toIpsError } from '../../protocol/errors.ts';
import { type ToCloud, type ToConnector, toCloudSchema } from '../../protocol/link.ts';
import type { ConnectorRecord } from '../store/connectors.ts';
import { checkProof, type Hello } from './identity.ts';
import type { LinkDesk } from './link-desk.ts';
import type { LiveConnector } from './registry.ts';

export interface Wire {
  send(message: ToConnector): void;
  close(code: number, reason: string): void;
}

/** WebSocket close codes (RFC 6455 section 7.4), and ours from the private range. */
export const CLOSE = {
  goingAway: 1001,
  badMessage: 1008,
  internal: 1011,
  replaced: 4001,
  refused: 4002,
  tooSlow: 4003,
} as const;

const NONCE_BYTES = 32;

type State =
  | { at: 'hello' }
  | { at: 'proof'; hello: Hello; connector: ConnectorRecord; nonce: string }
  | { at: 'open'; live: LiveConnector }
  | { at: 'closed'; live: LiveConnector | undefined };

export class Session {
  readonly #desk: LinkDesk;
  readonly #wire: Wire;
  #state: State = { at: 'hello' };
  #queue: Promise<void> = Promise.resolve();

  constructor(desk: LinkDesk, wire: Wire) {
    this.#desk = desk;
    this.#wire = wire;
  }

  /** Whether the caller has proved who it is. */
  get isOpen(): boolean {
    return this.#state.at === 'open';
  }

  /** Takes a frame. Resolves when it is handled; never rejects. */
  receive(text: string): Promise<void> {
    this.#queue = this.#queue.then(() => this.#handle(text));
    return this.#queue;
  }

  /** The connection has ended, whoever ended it. Resolves when the message in hand is handled. */
  async closed(): Promise<void> {
    const live = this.#state.at === 'open' ? this.#state.live : undefined;
    this.#state = { at: 'closed', live };
    if (live) await this.#desk.left(this, live);
    await this.#queue;
  }

  /** Ends the connection from our side. Resolves as `closed` does. */
  async close(code: number, reason: string): Promise<void> {
    this.#wire.close(code, reason);
    await this.closed();
  }

  async #handle(text: string): Promise<void> {
    if (this.#state.at === 'closed') return;
    const message = parse(text);
    if (typeof message === 'string') return this.#abort(CLOSE.badMessage, message);
    try {
      await this.#step(message);
    } catch (error) {
      const known = toIpsError(error);
      if (known.code !== 'INTERNAL') {
        this.#send({ type: 'refused', error: known.report() });
        return this.#abort(CLOSE.refused, known.code);
      }
      this.#desk.tools.log.error('a message of a connector met an error', { error, type: message.type });
      return this.#abort(CLOSE.internal, 'internal error');
    }
  }

  async #step(message: ToCloud): Promise<void> {
    const state = this.#state;
    switch (state.at) {
      case 'hello': {
        if (message.type !== 'hello') return this.#abort(CLOSE.badMessage, 'hello expected');
        const connector = await this.#desk.connector(message.connectorId);
        const nonce = this.#desk.tools.random.bytes(NONCE_BYTES).toString('base64url');
        if (this.#state !== state) return;
        this.#state = { at: 'proof', hello: message, connector, nonce };
        return this.#send({ type: 'challenge', nonce });
      }
      case 'proof': {
        if (message.type !== 'proof') return this.#abort(CLOSE.badMessage, 'proof expected');
        checkProof(state.connector, state.hello, state.nonce, message.signature);
        return await this.#desk.welcome(this, state.hello, {
          send: (answer) => this.#send(answer),
          isClosed: () => this.#state.at === 'closed',
          opened: (live) => {
            this.#state = { at: 'open', live };
          },
        });
      }
      case 'open':
        if (message.type === 'hello' || message.type === 'proof')
          return this.#abort(CLOSE.badMessage, `${message.type} was not expected any more`);
        return await this.#desk.handle(state.live, message);
      case 'closed':
        return;
    }
  }

  #send(message: ToConnector): void {
    if (this.#state.at !== 'closed') this.#wire.send(message);
  }

  #abort(code: number, reason: string): void {
    const live = this.#state.at === 'open' ? this.#state.live : undefined;
    this.#wire.close(code, reason);
    this.#state = { at: 'closed', live };
    // Not awaited: this runs inside the queue that leaving waits for.
    if (live) void this.#desk.left(this, live);
  }
}

/** The message, or one sentence on what is wrong with it. */
function parse(text: string): ToCloud | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return 'not JSON';
  }
  const parsed = toCloudSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `not a message of this protocol: ${issue?.path.join('.')}: ${issue?.message}`;
}
