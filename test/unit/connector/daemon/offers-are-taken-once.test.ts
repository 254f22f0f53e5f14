import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { IpsError } from '../../../../src/protocol/errors.ts';
import { JOB, PARAMETERS, settled } from './doubles.ts';
import { Supervised } from './supervised.ts';

describe('an offer', () => {
  let daemon: Supervised;
  beforeEach(() => {
    daemon = new Supervised();
    daemon.supervisor.start();
    daemon.connect();
  });
  afterEach(() => daemon.world.remove());
  const modes = () => daemon.forks.workers.map(({ mode }) => mode);

  it('is put to a short-lived worker, then journalled, then accepted, then worked on', async () => {
    daemon.offer();
    expect(modes()).toEqual(['claim']);
    expect(daemon.forks.last().heard).toEqual([{ type: 'claim', parameters: PARAMETERS }]);
    expect(daemon.job()).toBeUndefined();
    daemon.forks.last().says({ type: 'claimed' });
    await settled();
    expect(daemon.job()).toMatchObject({ phase: 'running', parameters: PARAMETERS });
    expect(daemon.sentOf('offerAnswer')).toEqual([{ type: 'offerAnswer', ...JOB, accepted: true }]);
    expect(daemon.sentOf('events')[0]?.events).toMatchObject([{ seq: 1, body: { kind: 'accepted' } }]);
    expect(modes()).toEqual(['claim', 'run']);
  });

  it('is declined with the reason of the provider', async () => {
    daemon.offer();
    const reason = new IpsError('SOURCE_NOT_HERE').report();
    daemon.forks.last().says({ type: 'claimed', error: reason });
    await settled();
    expect(daemon.sentOf('offerAnswer')).toEqual([{ type: 'offerAnswer', ...JOB, accepted: false, reason }]);
    expect(daemon.job()).toBeUndefined();
  });

  it('that comes again is asked about once, and answered again when it was accepted', async () => {
    daemon.offer();
    daemon.offer();
    expect(modes()).toEqual(['claim']);
    daemon.forks.last().says({ type: 'claimed' });
    await settled();
    daemon.offer();
    expect(daemon.sentOf('offerAnswer')).toHaveLength(2);
    expect(modes()).toEqual(['claim', 'run']);
  });

  it('is left unanswered when no slot is free or its worker dies, since a decline is for good', async () => {
    await daemon.give({ jobId: 'job-a', token: '1.1' });
    daemon.offer({ jobId: 'job-b', token: '1.1' });
    daemon.offer({ jobId: 'job-c', token: '1.1' });
    expect(modes()).toEqual(['claim', 'run', 'claim']);
    daemon.forks.last().exits('signal SIGKILL');
    await settled();
    expect(daemon.sentOf('offerAnswer').map(({ jobId }) => jobId)).toEqual(['job-a']);
    // The slot of the one that died is free again.
    await daemon.give({ jobId: 'job-c', token: '1.1' });
    expect(daemon.sentOf('offerAnswer').map(({ jobId }) => jobId)).toEqual(['job-a', 'job-c']);
  });

  it('does not wait for ever for its worker', () => {
    daemon.offer();
    daemon.clock.advance(75_000);
    expect(daemon.forks.last().killed).toBe(true);
  });

  it('is not taken by a daemon that stops', async () => {
    daemon.offer();
    daemon.supervisor.stop();
    daemon.forks.last().says({ type: 'claimed' });
    await settled();
    expect(daemon.job()).toBeUndefined();
  });
});
