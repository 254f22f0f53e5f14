/**
 * A minimal connector for tests: a real WebSocket under the cloud's pin, the link's messages, and nothing of the daemon.
 * Whatever arrives waits in an inbox until the test asks for it.
 */
import { type ClientOptions, WebSocket } from 'ws';
import { Doors } from '../../src/lib/doors.ts';
import { PinnedTls } from '../../src/lib/pinned-tls.ts';
import type { EventBody } from '../../src/protocol/event.ts';
import {
  type HeldJob,
  LINK_PATH,
  LINK_SUBPROTOCOL,
  type ToCloud,
  type ToConnector,
  toConnectorSchema,
} from '../../src/protocol/link.ts';
import type { Paired } from '../../src/protocol/rest.ts';
import type { ApplianceKeys } from './appliance-keys.ts';

type Message<T extends ToConnector['type']> = Extract<ToConnector, { type: T }>;

/** Milliseconds until a message that does not come fails the test. */
const PATIENCE_MS = 15_000;

export class LinkClient {
  readonly keys: ApplianceKeys;
  readonly paired: Paired;
  generation: number;
  readonly #url: string;
  readonly #pin: string;
  #socket: WebSocket | undefined;
  #inbox: ToConnector[] = [];
  #arrived = Promise.withResolvers<void>();
  readonly #seq = new Map<string, number>();

  constructor(cloud: { url: string; pin: string }, keys: ApplianceKeys, paired: Paired) {
    this.#url = cloud.url;
    this.#pin = cloud.pin;
    this.keys = keys;
    this.paired = paired;
    this.generation = paired.generation;
  }

  /** Connects and goes through hello, challenge and proof to the welcome; acknowledges the generation. */
  async connect(jobs: HeldJob[] = [], instanceId = 'instance-1'): Promise<Message<'welcome'>> {
    await this.open();
    const { connectorId } = this.paired;
    const { generation } = this;
    const said = { version: '0.0.1-test', platforms: ['qemu' as const], slots: 2, jobs };
    this.send({ type: 'hello', connectorId, instanceId, generation, ...said });
    const { nonce } = await this.next('challenge');
    this.send({ type: 'proof', signature: this.keys.proof(nonce, connectorId, instanceId, generation) });
    const welcome = await this.next('welcome');
    this.generation = welcome.generation;
    this.send({ type: 'generationStored', generation: welcome.generation });
    return welcome;
  }

  /** Opens the socket and says nothing yet. */
  async open(): Promise<WebSocket> {
    const url = new URL(LINK_PATH, this.#url.replace(/^https/, 'wss'));
    const tls = new PinnedTls({ url, trust: { kind: 'pins', pins: [this.#pin] } }, new Doors());
    const { checkServerIdentity, ...rest } = await tls.options(AbortSignal.timeout(PATIENCE_MS));
    const options: ClientOptions = rest;
    // The types of ws give it another result than tls.connect, which is who calls it.
    Object.assign(options, { checkServerIdentity });
    const socket = new WebSocket(url, LINK_SUBPROTOCOL, options);
    this.#inbox = [];
    socket.on('message', (data) => {
      this.#inbox.push(toConnectorSchema.parse(JSON.parse(data.toString())));
      this.#arrived.resolve();
    });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    this.#socket = socket;
    return socket;
  }

  send(message: ToCloud): void {
    this.#socket?.send(JSON.stringify(message));
  }

  /** The oldest message of this type that was not taken yet. */
  async next<T extends ToConnector['type']>(type: T): Promise<Message<T>> {
    const late = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const index = this.#inbox.findIndex((message) => message.type === type);
      if (index >= 0) return this.#inbox.splice(index, 1)[0] as Message<T>;
      this.#arrived = Promise.withResolvers();
      const gaveUp = new Promise<never>((_resolve, reject) => {
        late.addEventListener('abort', () => reject(new Error(`no ${type} came`)), { once: true });
      });
      await Promise.race([this.#arrived.promise, gaveUp]);
    }
  }

  /** Sends events in the order of their numbers. @returns up to which number the cloud has stored them */
  async tell(job: { jobId: string; token: string }, ...bodies: EventBody[]): Promise<number> {
    const key = `${job.jobId} ${job.token}`;
    const events = bodies.map((body) => {
      const seq = (this.#seq.get(key) ?? 0) + 1;
      this.#seq.set(key, seq);
      return { ...job, seq, at: new Date().toISOString(), body };
    });
    this.send({ type: 'events', events });
    const { upTo } = await this.next('eventsStored');
    return upTo.find(({ jobId, token }) => jobId === job.jobId && token === job.token)?.seq ?? 0;
  }

  /** Resolves with the close code when the cloud closes the connection. */
  closed(): Promise<number> {
    return new Promise((resolve) => this.#socket?.once('close', (code) => resolve(code)));
  }

  /** Cuts the connection as a network does: no closing handshake. */
  cut(): void {
    this.#socket?.terminate();
  }
}
