import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Bench, TERMS } from './bench.ts';
import { FakeConnector } from './fake-connector.ts';

const EXPIRY = TERMS.ttlMs + TERMS.graceMs + 1;

describe('a lease', () => {
  let bench: Bench;
  let site: Awaited<ReturnType<Bench['site']>>;
  let holder: FakeConnector;
  let other: FakeConnector;
  let held: { jobId: string; token: string };

  beforeEach(async () => {
    bench = await Bench.start();
    site = await bench.site();
    holder = await FakeConnector.pair(bench, site.admin, 'holder');
    other = await FakeConnector.pair(bench, site.admin, 'other');
    await holder.connect();
    await bench.createJob(site.operator);
    held = await holder.accept();
  });
  afterEach(() => bench.stop());

  const renew = async (connector: FakeConnector, lease = held) => {
    await connector.say({ type: 'renew', n: 1, leases: [lease] });
    return connector.last('renewed')?.refused;
  };

  it('that is renewed keeps the job where it is', async () => {
    await other.connect();
    for (let i = 0; i < 10; i += 1) {
      await bench.advance(TERMS.ttlMs / 2);
      expect(await renew(holder)).toEqual([]);
    }
    expect(other.last('offer')).toBeUndefined();
  });

  it('that expired with nobody else there stays with its holder', async () => {
    await holder.disconnect();
    await bench.advance(10 * EXPIRY);
    expect(await bench.job(site.viewer, held.jobId)).toMatchObject({ state: 'inProgress', token: held.token });
    await holder.connect({ jobs: [{ ...held, state: 'running' }] });
    expect(holder.last('settle')).toMatchObject({ action: 'continue' });
    expect(await renew(holder)).toEqual([]);
  });

  it('moves only when another connector accepts, and not a moment earlier than TTL and grace', async () => {
    await other.connect();
    await holder.disconnect();
    await bench.advance(EXPIRY - 2);
    expect(other.last('offer')).toBeUndefined();
    await bench.advance(2);
    const offer = other.offer();
    expect(offer).toEqual({ jobId: held.jobId, token: '1.2' });
    expect((await bench.job(site.viewer, held.jobId)).token).toBe(held.token);
    await other.accept();
    expect(await bench.job(site.viewer, held.jobId)).toMatchObject({ token: '1.2', connector: 'other' });

    await holder.connect({ jobs: [{ ...held, state: 'running' }] });
    expect(holder.last('settle')).toMatchObject({ ...held, action: 'stop' });
    expect(await holder.commit(held)).toBe('LEASE_LOST');
    expect(await renew(holder)).toEqual([held]);
    expect(await other.commit(offer)).toBeUndefined();
  });

  it('stays with a holder that is heard again before the other one accepts', async () => {
    await other.connect();
    await bench.advance(EXPIRY);
    const offer = other.offer();
    expect(await renew(holder)).toEqual([]);
    await other.say({ type: 'offerAnswer', ...offer, accepted: true });
    expect(other.last('settle')).toEqual({ type: 'settle', ...offer, action: 'stop' });
    expect(await holder.commit(held)).toBeUndefined();
  });

  it('whose renewal arrives between the check and the move stays as well', async () => {
    await other.connect();
    await bench.advance(EXPIRY);
    const offer = other.offer();
    // As far as a renewal has come when it is counted, but before it has looked for offers.
    bench.tools.leases.renew(held.jobId, held.token);
    await other.say({ type: 'offerAnswer', ...offer, accepted: true });
    expect(other.last('settle')).toEqual({ type: 'settle', ...offer, action: 'stop' });
    expect((await bench.job(site.viewer, held.jobId)).token).toBe(held.token);
  });

  it('of a committing job never moves', async () => {
    await other.connect();
    expect(await holder.commit(held)).toBeUndefined();
    await holder.disconnect();
    await bench.advance(100 * EXPIRY);
    expect(other.last('offer')).toBeUndefined();
    expect((await bench.job(site.viewer, held.jobId)).state).toBe('committing');
  });

  it('of a connector that was declared lost goes back to the queue when it has expired', async () => {
    await holder.disconnect();
    await bench.call(site.operator, 'POST', '/v1/connectors/holder/lost', {});
    expect((await bench.job(site.viewer, held.jobId)).state).toBe('inProgress');
    await bench.advance(EXPIRY);
    expect((await bench.job(site.viewer, held.jobId)).state).toBe('queued');
    await other.connect();
    expect(other.offer().jobId).toBe(held.jobId);
  });

  it('that expired lets a cancel end the job without its holder, which is told to stop when it returns', async () => {
    await holder.disconnect();
    await bench.call(site.operator, 'POST', `/v1/jobs/${held.jobId}/cancel`);
    expect((await bench.job(site.viewer, held.jobId)).state).toBe('inProgress');
    await bench.advance(EXPIRY);
    expect((await bench.job(site.viewer, held.jobId)).state).toBe('cancelled');
    await holder.connect({ jobs: [{ ...held, state: 'running' }] });
    expect(holder.last('settle')).toMatchObject({ action: 'stop' });
  });
});
