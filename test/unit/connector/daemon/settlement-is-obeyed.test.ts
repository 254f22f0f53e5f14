import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { JOB } from './doubles.ts';
import { Supervised, TTL } from './supervised.ts';

describe("the cloud's word after a reconnect", () => {
  let daemon: Supervised;
  beforeEach(async () => {
    daemon = new Supervised();
    daemon.supervisor.start();
    daemon.connect();
    await daemon.give();
    daemon.supervisor.handle({ type: 'eventsStored', upTo: [{ ...JOB, seq: 1 }] });
    daemon.cut();
    daemon.connect();
  });
  afterEach(() => daemon.world.remove());
  const looked = () => daemon.forks.last().heard.filter(({ type }) => type === 'look').length;

  it('continue changes nothing', () => {
    daemon.settle('continue');
    expect(daemon.job()).toMatchObject({ phase: 'running', cancelRequested: false, stopRequested: false });
    expect(daemon.forks.workers).toHaveLength(2);
  });

  it('cancel, as well as an operator’s cancel, goes to the journal and its worker is told to look', () => {
    daemon.settle('cancel');
    daemon.supervisor.handle({ type: 'cancel', ...JOB });
    expect(daemon.job()).toMatchObject({ cancelRequested: true, stopRequested: false });
    expect(looked()).toBe(2);
  });

  it('commit journals the grant, and answers a worker that asks for it', () => {
    daemon.forks.last().says({ type: 'commit', requestId: '1' });
    daemon.settle('commit');
    expect(daemon.job()?.phase).toBe('committing');
    expect(daemon.forks.last().heard).toContainEqual({ type: 'granted', requestId: '1', leaseTtlMs: TTL });
    expect(looked()).toBe(1);
  });

  it('stop journals that the lease is lost', () => {
    daemon.settle('stop');
    expect(daemon.job()).toMatchObject({ cancelRequested: false, stopRequested: true });
    expect(looked()).toBe(1);
  });

  it('report tells the end again, once, when the cloud has forgotten it', () => {
    daemon.world.ledger(JOB).intent('vm', 'left');
    daemon.end();
    const first = daemon.world.journal.outbox(10).at(-1);
    daemon.supervisor.handle({ type: 'eventsStored', upTo: [{ ...JOB, seq: 99 }] });
    expect(daemon.world.journal.hasOutbox(JOB.jobId, JOB.token)).toBe(false);
    daemon.settle('report');
    daemon.settle('report');
    const told = daemon.world.journal.outbox(10);
    expect(told).toMatchObject([{ ...JOB, body: { kind: 'ended', state: 'complete' } }]);
    expect(told[0]?.body).toEqual(first?.body);
    expect(daemon.sentOf('events').at(-1)?.events).toEqual(told);
  });

  it('report does not repeat an end that is still on its way', () => {
    daemon.end();
    daemon.settle('report');
    expect(daemon.world.journal.outbox(10).filter(({ body }) => body.kind === 'ended')).toHaveLength(1);
  });

  it('forget keeps what is still to be told, and drops the job once nothing is left of it', () => {
    const row = daemon.world.ledger(JOB).intent('vm', 'left');
    daemon.end();
    daemon.forks.last().exits();
    daemon.settle('forget');
    expect(daemon.world.journal.outbox(10).map(({ body }) => body.kind)).toContain('ended');
    daemon.world.ledger(JOB).gone(row);
    daemon.settle('forget');
    expect(daemon.job()?.phase).toBe('leftover');
    daemon.world.journal.acknowledge([{ ...JOB, seq: Number.MAX_SAFE_INTEGER }]);
    daemon.settle('forget');
    expect(daemon.job()).toBeUndefined();
  });

  it('about a job that is not here does nothing', () => {
    for (const action of ['continue', 'cancel', 'commit', 'stop', 'report', 'forget'] as const)
      daemon.settle(action, { jobId: 'job-x', token: '9.9' });
    daemon.supervisor.handle({ type: 'cancel', jobId: 'job-x', token: '9.9' });
    expect(daemon.supervisor.held()).toEqual([{ ...JOB, state: 'running' }]);
    expect(daemon.forks.workers).toHaveLength(2);
  });
});
