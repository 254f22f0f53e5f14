/** What the parts of the job engine share. */
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logging.ts';
import type { RandomSource } from '../../lib/random.ts';
import type { Registry } from '../connectors/registry.ts';
import type { Store } from '../store/store.ts';
import type { Leases } from './leases.ts';
import type { JobWatch } from './watch.ts';

export interface JobTools {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly registry: Registry;
  readonly leases: Leases;
  readonly watch: JobWatch;
  readonly log: Logger;
  /** The epoch of the tokens that this service gives away. */
  readonly epoch: number;
}

/** Now, as text for people. */
export function now(tools: { clock: Clock }): string {
  return tools.clock.wall().toISOString();
}
