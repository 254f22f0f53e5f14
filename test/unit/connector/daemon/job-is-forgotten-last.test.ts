import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { JOB } from './doubles.ts';
import { Supervised } from './supervised.ts';

describe('a job is forgotten', () => {
  let daemon: Supervised;
  beforeEach(async () => {
    daemon = new Supervised();
    daemon.supervisor.start();
    daemon.connect();
    await daemon.give();
  });
  afterEach(() => daemon.world.remove());
  const acknowledgeAll = () => daemon.supervisor.handle({ type: 'eventsStored', upTo: [{ ...JOB, seq: 99 }] });

  it('only when its worker is gone, its end acknowledged and its ledger empty', () => {
    const row = daemon.world.ledger(JOB).intent('vm', 'ips-vm');
    daemon.end();
    acknowledgeAll();
    expect(daemon.job()).toBeDefined();
    daemon.world.ledger(JOB).gone(row);
    acknowledgeAll();
    // The worker may still be writing its last rows.
    expect(daemon.job()).toBeDefined();
    daemon.forks.last().exits();
    expect(daemon.job()).toBeUndefined();
    expect(daemon.supervisor.held()).toEqual([]);
  });

  it('when the acknowledgement comes after the worker has gone', () => {
    daemon.end();
    daemon.forks.last().exits();
    expect(daemon.job()?.phase).toBe('leftover');
    acknowledgeAll();
    expect(daemon.job()).toBeUndefined();
  });
});
