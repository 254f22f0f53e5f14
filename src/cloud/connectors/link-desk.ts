/**
 * What sessions do with their messages: welcoming (one connector at a time, the newest call wins), and each message of
 * an open session to the part of the job engine that answers it.
 */
import { IpsError, knownReport, toIpsError } from '../../protocol/errors.ts';
import type { ToCloud, ToConnector } from '../../protocol/link.ts';
import { storeEvents } from '../jobs/history.ts';
import { grantCommit, renewLeases } from '../jobs/holders.ts';
import { answerOffer } from '../jobs/offers.ts';
import type { Scheduler } from '../jobs/scheduler.ts';
import { settleAll } from '../jobs/settlement.ts';
import { type JobTools, now } from '../jobs/tools.ts';
import type { ConnectorRecord } from '../store/connectors.ts';
import { deliverCredentials } from '../wallet/delivery.ts';
import type { Lockbox } from '../wallet/lockbox.ts';
import { type Hello, recognise } from './identity.ts';
import type { LiveConnector } from './registry.ts';
import { CLOSE, type Session } from './session.ts';

export type DeskTools = JobTools & { readonly lockbox: Lockbox; readonly scheduler: Scheduler };

/** The part of a session that welcoming it needs. */
interface Opening {
  send(message: ToConnector): void;
  isClosed(): boolean;
  opened(live: LiveConnector): void;
}

export class LinkDesk {
  readonly tools: DeskTools;
  readonly #pins: readonly string[];
  readonly #sessions = new Map<string, Session>();
  readonly #welcoming = new Map<string, Promise<void>>();

  /** @param pins SPKI pins of this cloud, told to each connector */
  constructor(tools: DeskTools, pins: readonly string[]) {
    this.tools = tools;
    this.#pins = pins;
  }

  /** @throws IpsError CONNECTOR_UNKNOWN */
  async connector(id: string): Promise<ConnectorRecord> {
    const connector = await this.tools.store.connectors.byId(id);
    if (!connector) throw new IpsError('CONNECTOR_UNKNOWN');
    return connector;
  }

  /**
   * Lets a proven caller in: its old connection is closed, differences are settled, then it may be offered jobs.
   * @throws IpsError CONNECTOR_CLONED, CONNECTOR_UNKNOWN
   */
  async welcome(session: Session, hello: Hello, opening: Opening): Promise<void> {
    const before = this.#welcoming.get(hello.connectorId) ?? Promise.resolve();
    const mine = before.then(() => this.#welcome(session, hello, opening));
    const settled = mine.catch(() => undefined);
    this.#welcoming.set(hello.connectorId, settled);
    try {
      await mine;
    } finally {
      if (this.#welcoming.get(hello.connectorId) === settled) this.#welcoming.delete(hello.connectorId);
    }
  }

  async #welcome(session: Session, hello: Hello, opening: Opening): Promise<void> {
    if (opening.isClosed()) return;
    const { tools } = this;
    const { connector, nextGeneration } = await recognise(tools, hello);
    // A restarted daemon, or one behind a half-open connection, has the current generation: it is the one to believe.
    await this.#sessions.get(connector.id)?.close(CLOSE.replaced, 'replaced by a newer connection');
    const held = await tools.store.jobs.heldBy(connector.id);
    opening.send({
      type: 'welcome',
      generation: nextGeneration,
      leaseTtlMs: tools.leases.terms.ttlMs,
      pins: [...this.#pins],
      jobs: held.flatMap(({ id, token }) => (token === undefined ? [] : [{ jobId: id, token }])),
    });
    const live: LiveConnector = {
      connectorId: connector.id,
      customerId: connector.customerId,
      locationId: connector.locationId,
      name: connector.name,
      platforms: hello.platforms,
      slots: hello.slots,
      send: (message) => opening.send(message),
    };
    await settleAll(tools, live, hello.jobs);
    // It may have been removed since it was recognised; whoever removed it found no session to close.
    await this.connector(connector.id);
    if (opening.isClosed()) return;
    this.#sessions.set(connector.id, session);
    opening.opened(live);
    tools.registry.add(live);
    tools.log.info('connector connected', { connector: live.name, version: hello.version, jobs: hello.jobs.length });
    tools.scheduler.wake();
  }

  /** An open session has ended. */
  async left(session: Session, live: LiveConnector): Promise<void> {
    const { tools } = this;
    tools.registry.remove(live);
    if (this.#sessions.get(live.connectorId) === session) this.#sessions.delete(live.connectorId);
    tools.log.info('connector disconnected', { connector: live.name });
    try {
      await tools.store.change('connector.seen', (tx) => tx.connectors.seen(live.connectorId, now(tools)));
    } catch (error) {
      tools.log.warn('the time of a disconnection was not stored', { connector: live.name, error });
    }
  }

  /** Closes a connector's session, if there is one: it was removed. */
  async dismiss(connectorId: string): Promise<void> {
    await this.#sessions.get(connectorId)?.close(CLOSE.refused, 'CONNECTOR_UNKNOWN');
  }

  async handle(live: LiveConnector, message: Exclude<ToCloud, { type: 'hello' | 'proof' }>): Promise<void> {
    const { tools } = this;
    switch (message.type) {
      case 'generationStored':
        return await tools.store.change('connector.generation', (tx) =>
          tx.connectors.acknowledgeGeneration(live.connectorId, message.generation),
        );
      case 'offerAnswer':
        await answerOffer(tools, live, { ...message, reason: message.reason && knownReport(message.reason) });
        return tools.scheduler.wake();
      case 'renew': {
        const refused = await renewLeases(tools, live, message.leases);
        return live.send({ type: 'renewed', n: message.n, refused });
      }
      case 'credentialsRequest':
        return await this.#credentials(live, message);
      case 'commitRequest': {
        const { requestId } = message;
        const error = await grantCommit(tools, live, message);
        return live.send({ type: 'commitAnswer', requestId, ...(error ? { error } : {}) });
      }
      case 'events': {
        const upTo = await storeEvents(tools, live, message.events);
        if (upTo.length > 0) live.send({ type: 'eventsStored', upTo });
        if (message.events.some((event) => event.body.kind === 'ended')) tools.scheduler.wake();
        return;
      }
      case 'progress': {
        const job = await tools.store.jobs.byId(message.jobId);
        const isHolder = job?.connectorId === live.connectorId && job.token === message.token;
        if (isHolder && job.endedAt === undefined) tools.watch.setProgress(message.jobId, message.progress);
        return;
      }
    }
  }

  async #credentials(live: LiveConnector, message: Extract<ToCloud, { type: 'credentialsRequest' }>): Promise<void> {
    const { requestId } = message;
    try {
      const envelopes = await deliverCredentials(this.tools, { ...message, connectorId: live.connectorId });
      live.send({ type: 'credentialsAnswer', requestId, envelopes });
    } catch (error) {
      const known = toIpsError(error);
      if (known.code === 'INTERNAL') throw error;
      this.tools.log.warn('credentials were refused', { jobId: message.jobId, connector: live.name, code: known.code });
      live.send({ type: 'credentialsAnswer', requestId, error: known.report() });
    }
  }
}
