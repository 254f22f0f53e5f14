/** A connector without a socket: real keys and the real session of the cloud, and a test in place of the daemon. */
import { CLOSE, Session } from '../../../src/cloud/connectors/session.ts';
import type { EventBody } from '../../../src/protocol/event.ts';
import type { Platform } from '../../../src/protocol/job.ts';
import type { HeldJob, ToCloud, ToConnector } from '../../../src/protocol/link.ts';
import type { Paired } from '../../../src/protocol/rest.ts';
import { ApplianceKeys } from '../../harness/appliance-keys.ts';
import type { Bench } from './bench.ts';

interface Said {
  jobs?: HeldJob[];
  platforms?: Platform[];
  slots?: number;
  instanceId?: string;
}

export class FakeConnector {
  readonly keys: ApplianceKeys;
  readonly paired: Paired;
  readonly #bench: Bench;
  generation: number;
  inbox: ToConnector[] = [];
  closedWith: { code: number; reason: string } | undefined;
  #session: Session | undefined;
  readonly #seq = new Map<string, number>();

  constructor(bench: Bench, keys: ApplianceKeys, paired: Paired) {
    this.#bench = bench;
    this.keys = keys;
    this.paired = paired;
    this.generation = paired.generation;
  }

  static async pair(bench: Bench, admin: string, name: string, location = 'lab'): Promise<FakeConnector> {
    const keys = new ApplianceKeys();
    const issued = await bench.call<{ code: string }>(admin, 'POST', '/v1/pairing-codes', {
      resourceLocation: location,
    });
    const code = issued.body.code.replace('-', '');
    const request = { ...keys.pairingRequest(name, code), code };
    const { body } = await bench.call<Paired>(undefined, 'POST', '/v1/pairing/redeem', request);
    return new FakeConnector(bench, keys, body);
  }

  /** A copy of the appliance's whole disk, as it is now. */
  clone(): FakeConnector {
    const copy = new FakeConnector(this.#bench, this.keys, this.paired);
    copy.generation = this.generation;
    return copy;
  }

  /** Says hello and proves itself; stores and acknowledges the generation unless told not to. */
  async connect(said: Said = {}, acknowledge = true): Promise<void> {
    this.inbox = [];
    this.closedWith = undefined;
    const { connectorId } = this.paired;
    const session = new Session(this.#bench.desk, {
      send: (message) => this.inbox.push(message),
      close: (code, reason) => {
        this.closedWith ??= { code, reason };
      },
    });
    this.#session = session;
    const instanceId = said.instanceId ?? 'instance';
    await this.say({
      type: 'hello',
      connectorId,
      instanceId,
      generation: this.generation,
      version: '0.0.1-test',
      platforms: said.platforms ?? ['qemu'],
      slots: said.slots ?? 2,
      jobs: said.jobs ?? [],
    });
    const challenge = this.last('challenge');
    if (!challenge) return;
    const signature = this.keys.proof(challenge.nonce, connectorId, instanceId, this.generation);
    await this.say({ type: 'proof', signature });
    const welcome = this.last('welcome');
    if (welcome) {
      this.generation = welcome.generation;
      if (acknowledge) await this.say({ type: 'generationStored', generation: welcome.generation });
    }
    await this.#bench.scheduler.idle();
  }

  async disconnect(): Promise<void> {
    await this.#session?.closed();
  }

  async say(message: ToCloud): Promise<void> {
    await this.#session?.receive(JSON.stringify(message));
    await this.#bench.scheduler.idle();
  }

  async sayRaw(text: string): Promise<void> {
    await this.#session?.receive(text);
  }

  last<T extends ToConnector['type']>(type: T): Extract<ToConnector, { type: T }> | undefined {
    return this.inbox.findLast((message) => message.type === type) as Extract<ToConnector, { type: T }> | undefined;
  }

  /** The newest offer. @throws Error when there is none */
  offer(): { jobId: string; token: string } {
    const offer = this.last('offer');
    if (!offer) throw new Error(`no offer among ${this.inbox.map(({ type }) => type).join(', ')}`);
    return { jobId: offer.jobId, token: offer.token };
  }

  /** Accepts the newest offer. */
  async accept(): Promise<{ jobId: string; token: string }> {
    const offer = this.offer();
    await this.say({ type: 'offerAnswer', ...offer, accepted: true });
    return offer;
  }

  async tell(job: { jobId: string; token: string }, ...bodies: EventBody[]): Promise<void> {
    const key = `${job.jobId} ${job.token}`;
    const events = bodies.map((body) => {
      const seq = (this.#seq.get(key) ?? 0) + 1;
      this.#seq.set(key, seq);
      return { ...job, seq, at: '2026-01-01T00:00:00.000Z', body };
    });
    await this.say({ type: 'events', events });
  }

  async end(job: { jobId: string; token: string }, state: 'complete' | 'failed' | 'cancelled'): Promise<void> {
    await this.tell(job, { kind: 'ended', state, result: { leftovers: [] } });
  }

  async commit(job: { jobId: string; token: string }): Promise<string | undefined> {
    const requestId = `r${this.inbox.length}`;
    await this.say({ type: 'commitRequest', requestId, ...job });
    const answer = this.last('commitAnswer');
    if (answer?.requestId !== requestId) throw new Error('no answer to the commit request');
    return answer.error?.code;
  }

  async credentials(job: { jobId: string; token: string }, purpose: 'run' | 'teardown' = 'run') {
    const requestId = `r${this.inbox.length}`;
    await this.say({ type: 'credentialsRequest', requestId, ...job, purpose });
    const answer = this.last('credentialsAnswer');
    if (answer?.requestId !== requestId) throw new Error('no answer to the credentials request');
    return answer;
  }
}

export const REFUSED = CLOSE.refused;
