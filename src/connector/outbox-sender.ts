/**
 * Sends the outbox in order, one batch at a time, and drops from it only what the cloud says that it has stored. The
 * outbox itself is the journal's, so that nothing is lost with this process or with the link.
 */
import type { Clock, Timer } from '../lib/clock.ts';
import type { JobEvent } from '../protocol/event.ts';
import type { ToCloud } from '../protocol/link.ts';
import type { JobRef } from './job-ref.ts';
import type { Journal } from './journal.ts';

const BATCH_EVENTS = 200;
/** A batch stays well below the largest frame of the link, in bytes. */
const BATCH_BYTES = 512 * 1024;
/** A batch that is not answered, or of which nothing was stored, is sent again after this time, in ms. */
const AGAIN_MS = 30_000;

export type StoredUpTo = readonly (JobRef & { seq: number })[];

type State = { kind: 'idle' } | { kind: 'sent'; batch: readonly JobEvent[]; timer: Timer };

export class OutboxSender {
  readonly #journal: Pick<Journal, 'outbox' | 'acknowledge'>;
  readonly #send: (message: ToCloud) => boolean;
  readonly #clock: Clock;
  #state: State = { kind: 'idle' };

  constructor(journal: Pick<Journal, 'outbox' | 'acknowledge'>, send: (message: ToCloud) => boolean, clock: Clock) {
    this.#journal = journal;
    this.#send = send;
    this.#clock = clock;
  }

  /** Something is new in the outbox, or the link came up. */
  nudge(): void {
    if (this.#state.kind === 'idle') this.#sendBatch();
  }

  /** The link came up: what was on its way over the old one is sent again. */
  linkUp(): void {
    this.linkDown();
    this.#sendBatch();
  }

  linkDown(): void {
    if (this.#state.kind === 'sent') this.#state.timer.cancel();
    this.#state = { kind: 'idle' };
  }

  /** The cloud has stored what it names. Where that is nothing of the batch, only time may help. */
  stored(upTo: StoredUpTo): void {
    this.#journal.acknowledge(upTo);
    if (this.#state.kind !== 'sent') return;
    const isStored = (event: JobEvent) =>
      upTo.some(({ jobId, token, seq }) => jobId === event.jobId && token === event.token && seq >= event.seq);
    if (this.#state.batch.some(isStored)) this.linkUp();
  }

  #sendBatch(): void {
    const batch = firstBytes(this.#journal.outbox(BATCH_EVENTS));
    if (batch.length === 0 || !this.#send({ type: 'events', events: batch })) return;
    this.#state = { kind: 'sent', batch, timer: this.#clock.after(AGAIN_MS, () => this.linkUp()) };
  }
}

/** As many of the first events as fit, and at least one. */
function firstBytes(events: JobEvent[]): JobEvent[] {
  let bytes = 0;
  const end = events.findIndex((event) => {
    bytes += Buffer.byteLength(JSON.stringify(event));
    return bytes > BATCH_BYTES;
  });
  return end === -1 ? events : events.slice(0, Math.max(1, end));
}
