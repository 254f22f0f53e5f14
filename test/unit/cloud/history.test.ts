import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { EventBody, JobEvent } from '../../../src/protocol/event.ts';
import { Bench, TERMS } from './bench.ts';
import { FakeConnector } from './fake-connector.ts';

describe('the history of a job', () => {
  let bench: Bench;
  let site: Awaited<ReturnType<Bench['site']>>;
  let connector: FakeConnector;
  let held: { jobId: string; token: string };

  beforeEach(async () => {
    bench = await Bench.start();
    site = await bench.site();
    connector = await FakeConnector.pair(bench, site.admin, 'one');
    await connector.connect();
    await bench.createJob(site.operator);
    held = await connector.accept();
  });
  afterEach(() => bench.stop());

  const log = (message: string): EventBody => ({ kind: 'log', level: 'info', message });
  const event = (seq: number, body: EventBody): JobEvent => ({ ...held, seq, at: '2026-01-01T00:00:00Z', body });
  const send = async (...events: JobEvent[]) => {
    connector.inbox = [];
    await connector.say({ type: 'events', events });
    return connector.last('eventsStored')?.upTo;
  };
  const messages = async () =>
    (await bench.call<{ message: string }[]>(site.viewer, 'GET', `/v1/jobs/${held.jobId}/log`)).body.map(
      ({ message }) => message,
    );
  const upTo = (seq: number) => [{ ...held, seq }];

  it('holds each event once, however often it is sent', async () => {
    expect(await send(event(1, log('a')), event(2, log('b')))).toEqual(upTo(2));
    expect(await send(event(1, log('a')), event(2, log('b')), event(3, log('c')))).toEqual(upTo(3));
    expect(await messages()).toEqual(['a', 'b', 'c']);
  });

  it('takes nothing after a gap, and acknowledges nothing beyond it', async () => {
    expect(await send(event(2, log('b')))).toBeUndefined();
    expect(await send(event(1, log('a')), event(3, log('c')))).toEqual(upTo(1));
    expect(await messages()).toEqual(['a']);
  });

  it('of a stale token is kept and changes nothing but the ledger', async () => {
    const other = await FakeConnector.pair(bench, site.admin, 'two');
    await other.connect();
    await connector.disconnect();
    await bench.advance(TERMS.ttlMs + TERMS.graceMs + 1);
    await other.accept();
    await connector.connect({ jobs: [{ ...held, state: 'finishing' }] });
    const row = { id: 'row-1', kind: 'partial', name: 'x', state: 'made' as const, tags: {} };
    const ended = { kind: 'ended' as const, state: 'failed' as const, result: { leftovers: [] } };
    expect(await send(event(1, log('stale')), event(2, { kind: 'ledger', row }), event(3, ended))).toEqual(upTo(3));
    expect(await messages()).toContain('stale');
    const shown = await bench.job(site.viewer, held.jobId);
    expect(shown).toMatchObject({ state: 'inProgress', connector: 'two', openLedger: [row] });
  });

  it('brings step, findings and the end into the job, each in the transaction of its event', async () => {
    const finding = { severity: 'warning' as const, code: 'X', message: 'y' };
    await send(event(1, { kind: 'step', step: 'copy' }), event(2, { kind: 'findings', findings: [finding] }));
    expect(await bench.job(site.viewer, held.jobId)).toMatchObject({ step: 'copy', findings: [finding] });
    const error = { code: 'SHARE_FULL', message: 'full', hint: 'free some' };
    await send(event(3, { kind: 'ended', state: 'failed', result: { leftovers: [] }, error }));
    expect(await bench.job(site.viewer, held.jobId)).toMatchObject({ state: 'failed', error });
  });

  it('counts the event of an acceptance as the acceptance', async () => {
    await bench.createJob(site.operator, {}, 'second');
    const second = connector.offer();
    await connector.tell(second, { kind: 'accepted', connectorId: connector.paired.connectorId });
    expect(await bench.job(site.viewer, second.jobId)).toMatchObject({ state: 'inProgress', token: second.token });
  });

  it('takes nothing from a connector under a token that was given to another one, or to nobody', async () => {
    const other = await FakeConnector.pair(bench, site.admin, 'two');
    await other.connect({ slots: 0 });
    await other.tell(held, log('forged'), log('forged'), log('forged'));
    const ended = { kind: 'ended' as const, state: 'failed' as const, result: { leftovers: [] } };
    await other.tell({ ...held, token: '1.2' }, ended);
    expect(await send(event(1, log('a')), event(2, ended))).toEqual(upTo(2));
    expect(await messages()).toEqual(['a']);
    expect((await bench.job(site.viewer, held.jobId)).state).toBe('failed');
  });

  it('drains an outbox of a job that nobody knows', async () => {
    const unknown = { jobId: 'job-unknown', token: '1.1' };
    await connector.say({ type: 'events', events: [{ ...event(4, log('x')), ...unknown }] });
    expect(connector.last('eventsStored')?.upTo).toEqual([{ ...unknown, seq: 4 }]);
  });

  it('is read from where the reader left off, and ends with the job', async () => {
    await send(event(1, log('a')), event(2, log('b')));
    await connector.commit(held);
    await send(event(3, { kind: 'ended', state: 'complete', result: { leftovers: [] } }));
    const stream = await bench.api.inject({
      method: 'GET',
      url: `/v1/jobs/${held.jobId}/events`,
      headers: { authorization: `Bearer ${site.viewer}`, 'last-event-id': '1' },
    });
    expect(stream.headers['content-type']).toBe('text/event-stream');
    expect([...stream.body.matchAll(/^id: (\d+)$/gm)].map(([, id]) => id)).toEqual(['2', '3']);
  });
});
