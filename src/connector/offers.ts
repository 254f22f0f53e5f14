/**
 * Offers: each is put to a short-lived worker, journalled, and only then accepted. A decline is for good, so that what
 * may pass (no free slot, a platform in trouble, a worker that died) is left unanswered: the cloud offers the job again.
 */
import { hostUptime } from '../lib/uptime.ts';
import type { ToCloud, ToConnector } from '../protocol/link.ts';
import { askWorker } from './claims.ts';
import type { KeeperTools } from './job-keeper.ts';
import { type JobRef, refKey } from './job-ref.ts';
import type { Journal } from './journal.ts';

export type Offer = Extract<ToConnector, { type: 'offer' }>;

export interface OfferTools extends Pick<KeeperTools, 'fork' | 'clock' | 'log'> {
  journal: Journal;
  /** Sends over the link, or returns false when it is down. */
  send(message: ToCloud): boolean;
  connectorId: string;
  slots: number;
}

export class OfferDesk {
  readonly #tools: OfferTools;
  readonly #onAccepted: (ref: JobRef) => void;
  /** Offers for which a worker is being asked. */
  readonly #asked = new Set<string>();
  #stopped = false;

  /**
   * @param onAccepted called when the job is in the journal, also when the link was down by then: reconciliation will
   *   tell the cloud
   */
  constructor(tools: OfferTools, onAccepted: (ref: JobRef) => void) {
    this.#tools = tools;
    this.#onAccepted = onAccepted;
  }

  /** Takes no more offers, not even those that a worker is being asked about. */
  stop(): void {
    this.#stopped = true;
  }

  /** Never throws: what goes wrong leaves the offer unanswered. */
  async take(offer: Offer): Promise<void> {
    const { journal, log, slots } = this.#tools;
    const ref: JobRef = { jobId: offer.jobId, token: offer.token };
    const key = refKey(ref);
    if (this.#stopped || this.#asked.has(key)) return;
    if (journal.job(ref.jobId, ref.token)) {
      this.#accept(ref);
      return;
    }
    if (this.#busy() >= slots) {
      log.info('an offer was left unanswered: no slot is free', { ...ref });
      return;
    }
    this.#asked.add(key);
    try {
      await this.#ask(ref, offer);
    } catch (error) {
      log.error('an offer could not be taken', { ...ref, error });
    } finally {
      this.#asked.delete(key);
    }
  }

  async #ask(ref: JobRef, { parameters, limits }: Offer): Promise<void> {
    const { journal, fork, clock, log, send, connectorId } = this.#tools;
    const answer = await askWorker(fork, clock, ref, parameters);
    if (this.#stopped) return;
    switch (answer.kind) {
      case 'can':
        journal.accept({ ...ref, parameters, limits, acceptedAt: hostUptime() }, connectorId);
        this.#accept(ref);
        return;
      case 'cannot': {
        const { reason } = answer;
        log.info('an offer was declined', { ...ref, code: reason.code, reason: reason.message });
        send({ type: 'offerAnswer', ...ref, accepted: false, reason });
        return;
      }
      case 'unknown':
        log.error('an offer was left unanswered: its worker ended', { ...ref, how: answer.how });
    }
  }

  #accept(ref: JobRef): void {
    this.#tools.send({ type: 'offerAnswer', ...ref, accepted: true });
    this.#onAccepted(ref);
  }

  #busy(): number {
    return this.#tools.journal.jobs().filter((job) => job.phase !== 'leftover').length + this.#asked.size;
  }
}
