import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { JobKeeper } from '../../../../src/connector/job-keeper.ts';
import { fakeForks, JOB, middle, TestClock, testJournal, testLog } from './doubles.ts';

describe('a worker that crashes', () => {
  let world: ReturnType<typeof testJournal>;
  let clock: TestClock;
  let forks: ReturnType<typeof fakeForks>;
  beforeEach(() => {
    clock = new TestClock();
    world = testJournal(clock);
    world.accept();
    forks = fakeForks();
  });
  afterEach(() => world.remove());

  function newKeeper(): JobKeeper {
    const { journal, isLedgerEmpty } = world;
    const tools = { journal, isLedgerEmpty, fork: forks.fork, clock, random: middle, log: testLog().log };
    return new JobKeeper(JOB, tools, { onMessage: () => undefined, onWorkerGone: () => undefined });
  }
  const modes = () => forks.workers.map(({ mode }) => mode);

  it('is followed by another after a growing pause, and by a teardown after five crashes', () => {
    newKeeper().ensure();
    const pauses: number[] = [];
    for (let crash = 0; crash < 6; crash += 1) {
      const before = forks.workers.length;
      const crashedAt = clock.monotonic();
      forks.last().exits('signal SIGSEGV');
      expect(forks.workers).toHaveLength(before);
      while (forks.workers.length === before) clock.advance(250);
      pauses.push(clock.monotonic() - crashedAt);
    }
    expect(modes()).toEqual(['run', 'run', 'run', 'run', 'run', 'teardown', 'teardown']);
    expect(pauses).toEqual([750, 1500, 3000, 6000, 12_000, 24_000]);
  });

  it('stays counted through a restart of the daemon, whose own end is no crash', () => {
    for (let restart = 0; restart < 10; restart += 1) {
      const keeper = newKeeper();
      keeper.ensure();
      keeper.stop();
      forks.last().exits('exit code 70');
    }
    expect(world.journal.job(JOB.jobId, JOB.token)?.crashes).toBe(0);
    for (let crash = 0; crash < 5; crash += 1) {
      const keeper = newKeeper();
      keeper.ensure();
      forks.last().exits('exit code 1');
      keeper.stop();
    }
    newKeeper().ensure();
    expect(modes().at(-1)).toBe('teardown');
  });

  it('counts as crashed also when it ended in peace before its job', () => {
    newKeeper().ensure();
    forks.last().exits('exit code 0');
    expect(world.journal.job(JOB.jobId, JOB.token)?.crashes).toBe(1);
  });
});
