/**
 * The five doors. Every effect on the world outside this process's memory goes through one of them, so that a crash
 * point, an injected fault, a recording or a simulation can hang on the doors and on nothing else.
 *
 * A watcher sees each passage before the effect and after it. Without a watcher a door costs one property read.
 */
export type DoorName = 'journal' | 'ledger' | 'platform' | 'send' | 'file';

/** Sees every passage. Throwing in `before` prevents the effect; throwing in `after` loses its answer. */
export interface DoorWatcher {
  before(door: DoorName, point: string): void;
  after(door: DoorName, point: string): void;
}

export class Doors {
  readonly #watcher: DoorWatcher | undefined;

  constructor(watcher?: DoorWatcher) {
    this.#watcher = watcher;
  }

  /**
   * Runs an asynchronous effect through a door.
   * @param point names the effect within the door, for example `outbox.append`; stable, since crash matrices quote it
   */
  async pass<T>(door: DoorName, point: string, effect: () => Promise<T>): Promise<T> {
    this.#watcher?.before(door, point);
    const answer = await effect();
    this.#watcher?.after(door, point);
    return answer;
  }

  /** Runs a synchronous effect (SQLite, a socket write) through a door. */
  passSync<T>(door: DoorName, point: string, effect: () => T): T {
    this.#watcher?.before(door, point);
    const answer = effect();
    this.#watcher?.after(door, point);
    return answer;
  }
}
