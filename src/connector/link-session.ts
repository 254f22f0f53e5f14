/**
 * One connection of the link, from `hello` to its end. Messages are taken one after the other, each checked against
 * its schema; the first that does not fit ends the connection. A peer that was silent for too long is dead.
 */
import type { Clock, Timer } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import { IpsError, isErrorCode } from '../protocol/errors.ts';
import {
  LINK_DEAD_AFTER_MS,
  LINK_PING_MS,
  proofText,
  type ToCloud,
  type ToConnector,
  toConnectorSchema,
} from '../protocol/link.ts';
import type { LinkListener, LinkSocket } from './link-socket.ts';

/** Longest time from `hello` to `welcome`, in ms. */
const GREETING_LIMIT_MS = 30_000;

/** Messages after the welcome. */
export type SessionMessage = Exclude<ToConnector, { type: 'challenge' | 'refused' | 'welcome' }>;
export type Welcome = Extract<ToConnector, { type: 'welcome' }>;
export type Hello = Extract<ToCloud, { type: 'hello' }>;

export interface SessionHost {
  hello(): Promise<Omit<Hello, 'type'>>;
  /** Ed25519 signature, base64url. */
  sign(text: string): string;
  /** Makes generation and pins durable; only then the generation is acknowledged. */
  storeWelcome(welcome: Welcome): Promise<void>;
  onUp(welcome: Welcome): void;
  onMessage(message: SessionMessage): void;
}

/** How a connection ended. */
export interface SessionEnd {
  reason: string;
  /** The cloud said so itself. */
  refused?: IpsError;
  /** How long it was up, in ms; undefined: it never was. */
  upMs: number | undefined;
}

type State = { kind: 'greeting'; hello: Hello | undefined } | { kind: 'up'; since: number } | { kind: 'ended' };

export class LinkSession implements LinkListener {
  readonly #host: SessionHost;
  readonly #tools: { clock: Clock; doors: Doors };
  readonly #timers: Timer[] = [];
  readonly #ended = Promise.withResolvers<SessionEnd>();
  #socket: LinkSocket | undefined;
  #state: State;
  #heardAt: number;
  #refused: IpsError | undefined;
  #taking: Promise<void> = Promise.resolve();

  constructor(host: SessionHost, tools: { clock: Clock; doors: Doors }) {
    this.#host = host;
    this.#tools = tools;
    this.#heardAt = tools.clock.monotonic();
    this.#state = { kind: 'greeting', hello: undefined };
  }

  /** Speaks first. @returns how it ended, when it has */
  async run(socket: LinkSocket): Promise<SessionEnd> {
    this.#socket = socket;
    const { clock } = this.#tools;
    this.#heardAt = clock.monotonic();
    this.#timers.push(
      clock.every(LINK_PING_MS, () => this.#effect('link.ping', (open) => open.ping())),
      clock.after(GREETING_LIMIT_MS, () => {
        if (this.#state.kind === 'greeting') this.#drop('the cloud did not welcome us in time');
      }),
    );
    this.#watchSilence();
    try {
      await this.#greet();
    } catch (error) {
      this.#drop(error instanceof Error ? error.message : String(error));
    }
    return await this.#ended.promise;
  }

  /** @returns false when the link is not up: the message is not sent, and whoever wanted it waits for the next `onUp` */
  send(message: ToCloud): boolean {
    if (this.#state.kind !== 'up') return false;
    this.#transmit(message);
    return true;
  }

  onHeard(): void {
    this.#heardAt = this.#tools.clock.monotonic();
  }

  onText(text: string): void {
    this.#taking = this.#taking.then(async () => {
      if (this.#state.kind === 'ended') return;
      try {
        await this.#take(parseMessage(text));
      } catch (error) {
        this.#drop(error instanceof Error ? error.message : String(error));
      }
    });
  }

  onClose(reason: string): void {
    if (this.#state.kind === 'ended') return;
    const upMs = this.#state.kind === 'up' ? this.#tools.clock.monotonic() - this.#state.since : undefined;
    this.#state = { kind: 'ended' };
    for (const timer of this.#timers) timer.cancel();
    this.#ended.resolve({ reason, upMs, ...(this.#refused ? { refused: this.#refused } : {}) });
  }

  async #take(message: ToConnector): Promise<void> {
    switch (message.type) {
      case 'challenge':
        this.#prove(message.nonce);
        return;
      case 'refused': {
        const { code, message: text, hint } = message.error;
        this.#refused = IpsError.from({ code: isErrorCode(code) ? code : 'CONNECTOR_REFUSED', message: text, hint });
        this.#drop(text);
        return;
      }
      case 'welcome':
        await this.#enter(message);
        return;
      default:
        if (this.#state.kind !== 'up') throw new Error(`the cloud sent "${message.type}" before its welcome`);
        this.#host.onMessage(message);
    }
  }

  async #greet(): Promise<void> {
    const hello: Hello = { type: 'hello', ...(await this.#host.hello()) };
    if (this.#state.kind !== 'greeting') return;
    this.#state = { kind: 'greeting', hello };
    this.#transmit(hello);
  }

  #prove(nonce: string): void {
    if (this.#state.kind !== 'greeting' || !this.#state.hello) throw new Error('the cloud sent a second challenge');
    const { connectorId, instanceId, generation } = this.#state.hello;
    const signature = this.#host.sign(proofText(nonce, connectorId, instanceId, generation));
    this.#transmit({ type: 'proof', signature });
  }

  async #enter(welcome: Welcome): Promise<void> {
    if (this.#state.kind !== 'greeting') throw new Error('the cloud sent a second welcome');
    await this.#host.storeWelcome(welcome);
    // It may have ended while the generation was written.
    if (this.#state.kind !== 'greeting') return;
    this.#transmit({ type: 'generationStored', generation: welcome.generation });
    this.#state = { kind: 'up', since: this.#tools.clock.monotonic() };
    this.#host.onUp(welcome);
  }

  #watchSilence(): void {
    if (this.#state.kind === 'ended') return;
    const { clock } = this.#tools;
    const left = LINK_DEAD_AFTER_MS - (clock.monotonic() - this.#heardAt);
    if (left <= 0) {
      this.#drop(`the cloud was silent for ${LINK_DEAD_AFTER_MS / 1000} s`);
      return;
    }
    this.#timers.push(clock.after(left, () => this.#watchSilence()));
  }

  #transmit(message: ToCloud): void {
    this.#effect(`link.${message.type}`, (open) => open.send(JSON.stringify(message)));
  }

  #effect(point: string, effect: (socket: LinkSocket) => void): void {
    const socket = this.#socket;
    if (!socket || this.#state.kind === 'ended') return;
    this.#tools.doors.passSync('send', point, () => effect(socket));
  }

  #drop(reason: string): void {
    this.onClose(reason);
    this.#socket?.terminate();
  }
}

function parseMessage(text: string): ToConnector {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error('the cloud sent something that is not JSON');
  }
  const parsed = toConnectorSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new Error(`the cloud sent a message that does not fit its schema${where ? ` at ${where}` : ''}`);
}
