import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Bench, TERMS } from './bench.ts';
import { FakeConnector } from './fake-connector.ts';

describe('settling after a reconnect', () => {
  let bench: Bench;
  let site: Awaited<ReturnType<Bench['site']>>;
  let connector: FakeConnector;

  async function begin(epoch = 1, database = ':memory:'): Promise<void> {
    bench = await Bench.start({ epoch, database });
    site = await bench.site();
    connector = await FakeConnector.pair(bench, site.admin, 'one');
    await connector.connect();
  }
  beforeEach(() => begin());
  afterEach(() => bench.stop());

  const state = async (id: string) => await bench.job(site.viewer, id);

  it('records an acceptance that was missed', async () => {
    await bench.createJob(site.operator);
    const offer = connector.offer();
    await connector.connect({ jobs: [{ ...offer, state: 'running' }] });
    expect(connector.last('settle')).toMatchObject({ ...offer, action: 'continue' });
    expect(await state(offer.jobId)).toMatchObject({ state: 'inProgress', token: offer.token, connector: 'one' });
  });

  it('takes an acceptance that comes with the return, when the offer was withdrawn meanwhile', async () => {
    await bench.createJob(site.operator);
    const offer = connector.offer();
    await connector.disconnect();
    await bench.advance(TERMS.offerTimeoutMs);
    await connector.connect({ jobs: [{ ...offer, state: 'running' }] });
    expect(connector.last('settle')).toMatchObject({ ...offer, action: 'continue' });
    expect(await state(offer.jobId)).toMatchObject({ state: 'inProgress', token: offer.token, connector: 'one' });
  });

  it('stands behind the grant of an offered job whose acceptance and grant a restored cloud has forgotten', async () => {
    await bench.createJob(site.operator);
    const offer = connector.offer();
    await connector.connect({ jobs: [{ ...offer, state: 'committing' }] });
    expect(connector.last('settle')).toMatchObject({ ...offer, action: 'commit' });
    expect(await state(offer.jobId)).toMatchObject({ state: 'committing', token: offer.token });
    const cancel = await bench.call<{ code: string }>(site.operator, 'POST', `/v1/jobs/${offer.jobId}/cancel`);
    expect(cancel.body.code).toBe('JOB_COMMITTING');
  });

  it('does not run an offered job again that its connector has brought to its end', async () => {
    await bench.createJob(site.operator);
    const offer = connector.offer();
    await connector.connect({ jobs: [{ ...offer, state: 'leftover' }] });
    expect(connector.last('settle')).toMatchObject({ ...offer, action: 'report' });
    await connector.end(offer, 'failed');
    expect(await state(offer.jobId)).toMatchObject({ state: 'failed', token: offer.token });
  });

  it('tells a holder to stop when another one accepts at the very moment of its return', async () => {
    const other = await FakeConnector.pair(bench, site.admin, 'two');
    await bench.createJob(site.operator);
    const held = await connector.accept();
    await connector.disconnect();
    await other.connect();
    await bench.advance(TERMS.ttlMs + TERMS.graceMs + 1);
    const offer = other.offer();
    const { store } = bench.tools;
    const change = store.change.bind(store);
    let accepted = false;
    jest.spyOn(store, 'change').mockImplementation(async (what, work) => {
      // The other one's acceptance has looked at the lease already, and gets to the store first.
      if (what === 'lease.keep' && !accepted) {
        const { connectorId, connectorName } = other.paired;
        const holder = { connectorId, connectorName, token: offer.token };
        accepted = await change('test', (tx) => tx.transitions.accept(held.jobId, holder, 'now'));
      }
      return await change(what, work);
    });
    await connector.connect({ jobs: [{ ...held, state: 'running' }] });
    expect(accepted).toBe(true);
    expect(connector.inbox.filter(({ type }) => type === 'settle')).toEqual([
      { type: 'settle', ...held, action: 'stop' },
    ]);
  });

  it('gives no token twice after it followed a connector that is ahead of a restored cloud', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ips-settle-'));
    const database = join(folder, 'cloud.sqlite');
    await bench.stop();
    await begin(1, database);
    const paired = [
      await FakeConnector.pair(bench, site.admin, 'ahead'),
      await FakeConnector.pair(bench, site.admin, 'x'),
    ];
    await bench.createJob(site.operator);
    const { jobId } = await connector.accept();
    await bench.stop();

    // The backup has this holder; another one had it since, and comes back after it was offered to a third.
    bench = await Bench.start({ epoch: 2, database });
    const [ahead, third] = paired.map((each) => new FakeConnector(bench, each.keys, each.paired));
    await third?.connect();
    await bench.advance(TERMS.ttlMs + TERMS.graceMs + 1);
    const reason = { code: 'SOURCE_NOT_HERE', message: 'no', hint: 'none' };
    await third?.say({ type: 'offerAnswer', jobId, token: '2.2', accepted: false, reason });
    const held = { jobId, token: '1.2' };
    await ahead?.connect({ jobs: [{ ...held, state: 'running' }] });
    expect(ahead?.last('settle')).toMatchObject({ ...held, action: 'continue' });
    // It loses its journal: the cloud says so under a token of its own, and offers the job anew.
    await ahead?.connect();
    expect(ahead?.offer()).toEqual({ jobId, token: '2.5' });
    await rm(folder, { recursive: true });
  });

  it('lets a connector in although one of its jobs cannot be settled', async () => {
    await bench.createJob(site.operator, {}, 'a');
    const first = await connector.accept();
    await bench.createJob(site.operator, {}, 'b');
    const second = await connector.accept();
    const { jobs } = bench.tools.store;
    const byId = jobs.byId.bind(jobs);
    jest.spyOn(jobs, 'byId').mockImplementation(async (id) => {
      if (id === first.jobId) throw new Error('a broken row');
      return await byId(id);
    });
    await connector.disconnect();
    await connector.connect({
      jobs: [
        { ...first, state: 'running' },
        { ...second, state: 'running' },
      ],
    });
    expect(connector.closedWith).toBeUndefined();
    expect(connector.last('settle')).toMatchObject({ ...second, action: 'continue' });
  });

  it('offers again, under a new token, what the connector never saw', async () => {
    await bench.createJob(site.operator);
    const offer = connector.offer();
    await connector.connect();
    expect(connector.offer()).toEqual({ jobId: offer.jobId, token: '1.2' });
  });

  it('puts a job back into the queue when its holder has lost it', async () => {
    await bench.createJob(site.operator);
    const held = await connector.accept();
    await connector.connect({ slots: 0 });
    expect(await state(held.jobId)).toMatchObject({ state: 'queued' });
    expect((await state(held.jobId)).token).toBeUndefined();
  });

  it('ends a job whose holder has lost it when a cancel waits', async () => {
    await bench.createJob(site.operator);
    const held = await connector.accept();
    await bench.call(site.operator, 'POST', `/v1/jobs/${held.jobId}/cancel`);
    await connector.connect();
    expect((await state(held.jobId)).state).toBe('cancelled');
  });

  it('repeats a cancel, and a grant', async () => {
    await bench.createJob(site.operator, {}, 'a');
    const first = await connector.accept();
    await bench.createJob(site.operator, {}, 'b');
    const second = await connector.accept();
    await bench.call(site.operator, 'POST', `/v1/jobs/${first.jobId}/cancel`);
    expect(await connector.commit(second)).toBeUndefined();
    await connector.connect({
      jobs: [
        { ...first, state: 'running' },
        { ...second, state: 'running' },
      ],
    });
    const settled = connector.inbox.filter((message) => message.type === 'settle');
    expect(settled).toEqual([
      { type: 'settle', ...first, action: 'cancel' },
      { type: 'settle', ...second, action: 'commit' },
    ]);
  });

  it('fails a job whose holder lost its journal after the grant', async () => {
    await bench.createJob(site.operator);
    const held = await connector.accept();
    await connector.commit(held);
    await connector.connect();
    expect(await state(held.jobId)).toMatchObject({ state: 'failed', error: { code: 'COMMIT_UNKNOWN' } });
  });

  it('stops what is over or unknown, and forgets what is only left to report', async () => {
    await bench.createJob(site.operator);
    const held = await connector.accept();
    await connector.end(held, 'failed');
    const unknown = { jobId: 'job-unknown', token: '1.1' };
    await connector.connect({
      jobs: [
        { ...held, state: 'leftover' },
        { ...unknown, state: 'running' },
      ],
    });
    expect(connector.inbox.filter((message) => message.type === 'settle')).toEqual([
      { type: 'settle', ...held, action: 'forget' },
      { type: 'settle', ...unknown, action: 'stop' },
    ]);
  });

  it('follows a connector that is ahead of a restored cloud, but not a token of this epoch or a later one', async () => {
    await bench.stop();
    await begin(2);
    const { body } = await bench.createJob(site.operator, {}, 'a');
    await connector.say({ type: 'offerAnswer', ...connector.offer(), accepted: false });
    const waiting = await bench.createJob(site.operator, { resourceLocation: 'lab' }, 'b');
    expect((await state(body.id)).state).toBe('failed');

    const ahead = { jobId: waiting.body.id, token: '1.5' };
    // The offer of this very job is out under 2.x, which is newer than anything the old epoch gave.
    await connector.connect({ jobs: [{ ...ahead, state: 'running' }], slots: 0 });
    expect(connector.last('settle')).toMatchObject({ ...ahead, action: 'stop' });

    const fresh = await bench.createJob(site.operator, {}, 'c');
    const granted = { jobId: fresh.body.id, token: '1.7' };
    await connector.connect({ jobs: [{ ...granted, state: 'committing' }], slots: 0 });
    expect(connector.last('settle')).toMatchObject({ ...granted, action: 'commit' });
    expect(await state(granted.jobId)).toMatchObject({ state: 'committing', token: '1.7', connector: 'one' });

    const forged = await bench.createJob(site.operator, {}, 'd');
    const lie = { jobId: forged.body.id, token: '2.9' };
    await connector.connect({
      jobs: [
        { ...granted, state: 'committing' },
        { ...lie, state: 'running' },
      ],
      slots: 0,
    });
    expect(connector.last('settle')).toMatchObject({ ...lie, action: 'stop' });
    expect((await state(lie.jobId)).state).toBe('queued');
  });

  it('believes a success that a restored cloud has forgotten to have granted, also across a gap of events', async () => {
    await bench.stop();
    await begin(2);
    await connector.connect({ slots: 0 });
    const { body } = await bench.createJob(site.operator);
    const ahead = { jobId: body.id, token: '1.1' };
    await connector.connect({ jobs: [{ ...ahead, state: 'finishing' }], slots: 0 });
    expect(connector.last('settle')).toMatchObject({ action: 'report' });
    const ended = { kind: 'ended' as const, state: 'complete' as const, result: { leftovers: [] } };
    await connector.say({ type: 'events', events: [{ ...ahead, seq: 7, at: '2026-01-01T00:00:00Z', body: ended }] });
    expect(connector.last('eventsStored')).toEqual({ type: 'eventsStored', upTo: [{ ...ahead, seq: 7 }] });
    expect((await state(ahead.jobId)).state).toBe('complete');
  });

  it('runs a job again whose bearer the cloud had told to stop before it was restored', async () => {
    await bench.stop();
    await begin(2);
    await connector.connect({ slots: 0 });
    const { body } = await bench.createJob(site.operator);
    const stopped = { jobId: body.id, token: '1.1' };
    await connector.connect({ jobs: [{ ...stopped, state: 'leftover' }], slots: 0 });
    const error = { code: 'LEASE_LOST', message: 'Lost.', hint: 'None.' };
    await connector.tell(stopped, { kind: 'ended', state: 'cancelled', result: { leftovers: [] }, error });
    expect(await state(body.id)).toMatchObject({ state: 'queued' });
    await connector.connect({ slots: 1 });
    expect(connector.offer()).toMatchObject({ jobId: body.id, token: expect.stringMatching(/^2\./) });
  });
});
