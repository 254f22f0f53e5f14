import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { JobKeeper } from '../../../../src/connector/job-keeper.ts';
import { fakeForks, JOB, middle, TestClock, testJournal, testLog } from './doubles.ts';

describe('a job that left something behind', () => {
  let world: ReturnType<typeof testJournal>;
  let clock: TestClock;
  let forks: ReturnType<typeof fakeForks>;
  let keeper: JobKeeper;
  beforeEach(() => {
    clock = new TestClock();
    world = testJournal(clock);
    world.accept();
    world.ledger(JOB).intent('vm', 'ips-vm');
    world.journal.storeOutcome(JOB.jobId, JOB.token, { state: 'cancelled', result: { leftovers: [] } });
    world.journal.end(JOB.jobId, JOB.token, { state: 'cancelled', result: { leftovers: [] } });
    forks = fakeForks();
    const { journal, isLedgerEmpty } = world;
    const tools = { journal, isLedgerEmpty, fork: forks.fork, clock, random: middle, log: testLog().log };
    keeper = new JobKeeper(JOB, tools, { onMessage: () => undefined, onWorkerGone: () => undefined });
  });
  afterEach(() => world.remove());

  it('is torn down at the start, and again every few minutes, until its ledger is empty', () => {
    keeper.ensure();
    const at: number[] = [];
    for (let sweep = 0; sweep < 8; sweep += 1) {
      const before = forks.workers.length;
      const endedAt = clock.monotonic();
      forks.last().exits();
      while (forks.workers.length === before) clock.advance(1_000);
      at.push((clock.monotonic() - endedAt) / 60_000);
    }
    expect(at.slice(0, 5)).toEqual([1.5, 3, 6, 12, 22.5]);
    expect(new Set(at.slice(4))).toEqual(new Set([22.5]));
    expect(new Set(forks.workers.map(({ mode }) => mode))).toEqual(new Set(['teardown']));
    const [row] = world.ledger(JOB).open();
    if (row) world.ledger(JOB).gone(row);
    forks.last().exits();
    expect(clock.timers).toBe(0);
    // Sweeps are no crashes.
    expect(world.journal.job(JOB.jobId, JOB.token)?.crashes).toBe(0);
  });
});
