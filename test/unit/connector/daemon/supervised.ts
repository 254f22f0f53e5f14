/** A supervisor with workers and a cloud that a test speaks for. */

import type { Outcome } from '../../../../src/connector/journal.ts';
import type { Welcome } from '../../../../src/connector/link-session.ts';
import { Supervisor, type SupervisorTools } from '../../../../src/connector/supervisor.ts';
import type { ToCloud } from '../../../../src/protocol/link.ts';
import type { SettleAction } from '../../../../src/protocol/reconciliation.ts';
import {
  CONNECTOR_ID,
  fakeForks,
  JOB,
  LIMITS,
  middle,
  PARAMETERS,
  settled,
  TestClock,
  testJournal,
  testLog,
} from './doubles.ts';

export const TTL = 30_000;

export class Supervised {
  readonly clock = new TestClock();
  readonly world = testJournal(this.clock);
  readonly forks = fakeForks();
  readonly sent: ToCloud[] = [];
  readonly log = testLog();
  isUp = false;
  supervisor = this.#supervisor();

  #supervisor(): Supervisor {
    const { journal, isLedgerEmpty } = this.world;
    const tools: SupervisorTools = {
      journal,
      isLedgerEmpty,
      fork: this.forks.fork,
      clock: this.clock,
      random: middle,
      log: this.log.log,
      connectorId: CONNECTOR_ID,
      slots: 2,
      send: (message) => {
        if (this.isUp) this.sent.push(message);
        return this.isUp;
      },
    };
    return new Supervisor(tools);
  }

  /** Another process with the same journal: all workers of the old one are gone. */
  restart(): void {
    this.cut();
    this.supervisor.stop();
    for (const worker of this.forks.workers) worker.exits('exit code 70');
    this.supervisor = this.#supervisor();
    this.supervisor.start();
  }

  connect(): void {
    this.isUp = true;
    const welcome: Welcome = { type: 'welcome', generation: 2, leaseTtlMs: TTL, pins: [], jobs: [] };
    this.supervisor.linkUp(welcome);
  }

  cut(): void {
    this.isUp = false;
    this.supervisor.linkDown();
  }

  offer(ref = JOB): void {
    this.supervisor.handle({ type: 'offer', ...ref, parameters: PARAMETERS, limits: LIMITS });
  }

  /** Offers a job and lets the worker that is asked say yes. */
  async give(ref = JOB): Promise<void> {
    this.offer(ref);
    this.forks.last().says({ type: 'claimed' });
    this.forks.last().exits();
    await settled();
  }

  settle(action: SettleAction, ref = JOB): void {
    this.supervisor.handle({ type: 'settle', ...ref, action });
  }

  job(ref = JOB) {
    return this.world.journal.job(ref.jobId, ref.token);
  }

  sentOf<T extends ToCloud['type']>(type: T): Extract<ToCloud, { type: T }>[] {
    return this.sent.filter((message): message is Extract<ToCloud, { type: T }> => message.type === type);
  }

  /** What a worker does at the end of its job: what is left is known only then. */
  end(ref = JOB): void {
    const outcome: Outcome = { state: 'complete', result: { leftovers: [] } };
    this.world.journal.storeOutcome(ref.jobId, ref.token, outcome);
    const leftovers = this.world
      .ledger(ref)
      .open()
      .map(({ kind, name }) => ({ kind, name }));
    this.world.journal.end(ref.jobId, ref.token, { ...outcome, result: { leftovers } });
  }
}
