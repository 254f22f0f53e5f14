/**
 * The engine's numbered events. Numbers count from 1 without a gap as they are given; a progress event takes the place
 * of the one before it, so a reader may see numbers missing, but never another kind of event. Memory is bounded: one
 * progress event, a bounded number of log lines, and the few events that a task has.
 */
import type { EngineEvent, EngineEventBody } from '../protocol/engine.ts';

/** Log lines kept; later ones are dropped, since the first ones tell what began. */
const MAX_LOG_EVENTS = 500;

export class EventLog {
  readonly #bootId: string;
  readonly #events: EngineEvent[] = [];
  #lastSeq = 0;
  #logEvents = 0;
  #change = Promise.withResolvers<void>();

  constructor(bootId: string) {
    this.#bootId = bootId;
  }

  append(body: EngineEventBody): void {
    if (body.kind === 'log') {
      if (this.#logEvents >= MAX_LOG_EVENTS) return;
      this.#logEvents += 1;
    }
    if (body.kind === 'progress') {
      const old = this.#events.findIndex((event) => event.body.kind === 'progress');
      if (old >= 0) this.#events.splice(old, 1);
    }
    this.#lastSeq += 1;
    this.#events.push({ seq: this.#lastSeq, bootId: this.#bootId, body });
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  /** Events with a number above `seq`, ascending. */
  after(seq: number): EngineEvent[] {
    return this.#events.filter((event) => event.seq > seq);
  }

  /** Settles at the next `append`. */
  changed(): Promise<void> {
    return this.#change.promise;
  }
}
