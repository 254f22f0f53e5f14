import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { JOB } from './doubles.ts';
import { Supervised } from './supervised.ts';

const LEFT = { jobId: 'job-left', token: '1.1' };
const DONE = { jobId: 'job-done', token: '1.1' };

describe('a daemon that starts again', () => {
  let daemon: Supervised;
  beforeEach(() => {
    daemon = new Supervised();
  });
  afterEach(() => daemon.world.remove());

  it('resumes what runs, sweeps what is left, and leaves alone what only waits to be acknowledged', () => {
    for (const ref of [JOB, LEFT, DONE]) daemon.world.accept(ref);
    daemon.world.ledger(LEFT).intent('vm', 'left');
    for (const ref of [LEFT, DONE]) daemon.end(ref);
    daemon.restart();
    expect(daemon.forks.workers.map(({ ref, mode }) => [ref.jobId, mode])).toEqual([
      [JOB.jobId, 'run'],
      [LEFT.jobId, 'teardown'],
    ]);
    expect(daemon.supervisor.held().map(({ state }) => state)).toEqual(['running', 'leftover', 'leftover']);
  });

  it('sends what its predecessor had not got acknowledged, and forgets what is over', () => {
    daemon.world.accept(DONE);
    daemon.end(DONE);
    daemon.restart();
    daemon.connect();
    expect(daemon.sentOf('events')[0]?.events.map(({ seq }) => seq)).toEqual([1, 2]);
    daemon.supervisor.handle({ type: 'eventsStored', upTo: [{ ...DONE, seq: 1 }] });
    expect(daemon.job(DONE)).toBeDefined();
    daemon.supervisor.handle({ type: 'eventsStored', upTo: [{ ...DONE, seq: 2 }] });
    expect(daemon.job(DONE)).toBeUndefined();
  });

  it('forgets at once what was acknowledged just before the crash', () => {
    daemon.world.accept(DONE);
    daemon.end(DONE);
    daemon.world.journal.acknowledge([{ ...DONE, seq: 2 }]);
    daemon.restart();
    expect(daemon.job(DONE)).toBeUndefined();
  });
});
