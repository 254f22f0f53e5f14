import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { JOB } from './doubles.ts';
import { Supervised, TTL } from './supervised.ts';

const OTHER = { jobId: 'job-2', token: '1.4' };

describe('leases', () => {
  let daemon: Supervised;
  beforeEach(async () => {
    daemon = new Supervised();
    daemon.supervisor.start();
    daemon.connect();
    await daemon.give();
    await daemon.give(OTHER);
  });
  afterEach(() => daemon.world.remove());

  it('are renewed each third of their time, for every job whose end is not told', () => {
    daemon.clock.advance(TTL);
    expect(daemon.sentOf('renew').map(({ n, leases }) => [n, leases])).toEqual([
      [1, [JOB, OTHER]],
      [2, [JOB, OTHER]],
      [3, [JOB, OTHER]],
    ]);
    daemon.end(OTHER);
    daemon.clock.advance(TTL / 3);
    expect(daemon.sentOf('renew').at(-1)?.leases).toEqual([JOB]);
  });

  it('that are refused stop the job here, and only that one', () => {
    daemon.clock.advance(TTL / 3);
    daemon.supervisor.handle({ type: 'renewed', n: 1, refused: [JOB] });
    expect([daemon.job()?.stopRequested, daemon.job(OTHER)?.stopRequested]).toEqual([true, false]);
    const told = daemon.forks.workers.filter(({ heard }) => heard.some(({ type }) => type === 'look'));
    expect(told.map(({ ref }) => ref.jobId)).toEqual([JOB.jobId]);
    daemon.clock.advance(TTL / 3);
    expect(daemon.sentOf('renew').at(-1)?.leases).toEqual([OTHER]);
  });

  it('that run out while the cloud is away stop nothing, and are renewed when it is back', () => {
    daemon.cut();
    daemon.clock.advance(10 * TTL);
    expect([daemon.job()?.stopRequested, daemon.job()?.cancelRequested]).toEqual([false, false]);
    expect(daemon.sentOf('renew')).toEqual([]);
    daemon.connect();
    daemon.clock.advance(TTL / 3);
    expect(daemon.sentOf('renew').map(({ leases }) => leases)).toEqual([[JOB, OTHER]]);
  });
});
