/** Which connectors are connected now. A connector is here from the moment its differences are settled. */
import type { Platform } from '../../protocol/job.ts';
import type { ToConnector } from '../../protocol/link.ts';

/** A connector with an open, authenticated and settled session. */
export interface LiveConnector {
  readonly connectorId: string;
  readonly customerId: string;
  readonly locationId: string;
  readonly name: string;
  readonly platforms: readonly Platform[];
  readonly slots: number;
  /** Sends, or drops the message when the session has ended meanwhile: reconciliation repeats what matters. */
  send(message: ToConnector): void;
}

export class Registry {
  readonly #live = new Map<string, LiveConnector>();

  add(connector: LiveConnector): void {
    this.#live.set(connector.connectorId, connector);
  }

  /** Removes this very session, not the one that replaced it. */
  remove(connector: LiveConnector): void {
    if (this.#live.get(connector.connectorId) === connector) this.#live.delete(connector.connectorId);
  }

  get(connectorId: string): LiveConnector | undefined {
    return this.#live.get(connectorId);
  }

  ofLocation(locationId: string): LiveConnector[] {
    return [...this.#live.values()].filter((connector) => connector.locationId === locationId);
  }

  countOf(customerId: string): number {
    return [...this.#live.values()].filter((connector) => connector.customerId === customerId).length;
  }
}
