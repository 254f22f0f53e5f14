import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Bench } from './bench.ts';
import { FakeConnector } from './fake-connector.ts';

describe('commit and cancel', () => {
  let bench: Bench;
  let site: Awaited<ReturnType<Bench['site']>>;
  let connector: FakeConnector;

  beforeEach(async () => {
    bench = await Bench.start();
    site = await bench.site();
    connector = await FakeConnector.pair(bench, site.admin, 'one');
    await connector.connect();
  });
  afterEach(() => bench.stop());

  async function running() {
    const { body } = await bench.createJob(site.operator);
    const held = await connector.accept();
    return { id: body.id, held };
  }
  const cancel = (id: string) =>
    bench.call<{ code: string; state: string }>(site.operator, 'POST', `/v1/jobs/${id}/cancel`);

  it('lets cancel win before the grant', async () => {
    const { id, held } = await running();
    expect((await cancel(id)).status).toBe(202);
    expect(connector.last('cancel')).toMatchObject(held);
    expect(await connector.commit(held)).toBe('JOB_CANCELLED');
    await connector.end(held, 'cancelled');
    expect(await bench.job(site.viewer, id)).toMatchObject({ state: 'cancelled', cancelRequested: true });
  });

  it('says a cancel again with each renewal, in case it was not heard', async () => {
    const { id, held } = await running();
    await cancel(id);
    connector.inbox.length = 0;
    await connector.say({ type: 'renew', n: 1, leases: [held] });
    expect(connector.last('cancel')).toMatchObject(held);
    expect(connector.last('renewed')).toMatchObject({ n: 1, refused: [] });
  });

  it('lets nobody cancel after the grant, and grants the same request again', async () => {
    const { id, held } = await running();
    expect(await connector.commit(held)).toBeUndefined();
    expect((await bench.job(site.viewer, id)).state).toBe('committing');
    expect(await cancel(id)).toMatchObject({ status: 409, body: { code: 'JOB_COMMITTING' } });
    expect(await connector.commit(held)).toBeUndefined();
    await connector.end(held, 'complete');
    expect(await bench.job(site.viewer, id)).toMatchObject({ state: 'complete', overallProgressPercent: 100 });
    expect(await cancel(id)).toMatchObject({ status: 409, body: { code: 'JOB_OVER' } });
  });

  it('gives exactly one of two racing requests what it asks', async () => {
    const { id, held } = await running();
    const [cancelled, refused] = await Promise.all([cancel(id), connector.commit(held)]);
    expect([cancelled.status, refused]).toEqual(cancelled.status === 202 ? [202, 'JOB_CANCELLED'] : [409, undefined]);
  });

  it('grants nothing to another token or another connector', async () => {
    const { id, held } = await running();
    const other = await FakeConnector.pair(bench, site.admin, 'two');
    await other.connect();
    expect(await other.commit(held)).toBe('LEASE_LOST');
    expect(await connector.commit({ ...held, token: '1.99' })).toBe('LEASE_LOST');
    expect((await bench.job(site.viewer, id)).state).toBe('inProgress');
  });

  it('does not believe a success without a grant, but that of a dry run', async () => {
    const { id, held } = await running();
    await connector.end(held, 'complete');
    expect((await bench.job(site.viewer, id)).state).toBe('inProgress');

    const dry = await bench.createJob(site.operator, {}, 'other', true);
    const dryHeld = await connector.accept();
    await connector.end(dryHeld, 'complete');
    expect((await bench.job(site.viewer, dry.body.id)).state).toBe('complete');
  });

  it('ends a waiting job at once; a late acceptance of its offer is told to stop', async () => {
    const { body } = await bench.createJob(site.operator);
    const offer = connector.offer();
    expect((await cancel(body.id)).body).toMatchObject({ state: 'cancelled' });
    await connector.say({ type: 'offerAnswer', ...offer, accepted: true });
    expect(connector.last('settle')).toEqual({ type: 'settle', ...offer, action: 'stop' });
    expect((await bench.job(site.viewer, body.id)).state).toBe('cancelled');
  });
});
