import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Session } from '../../../src/cloud/connectors/session.ts';
import type { ToConnector } from '../../../src/protocol/link.ts';
import { Bench } from './bench.ts';
import { FakeConnector, REFUSED } from './fake-connector.ts';

describe('who is calling', () => {
  let bench: Bench;
  let site: Awaited<ReturnType<Bench['site']>>;
  let connector: FakeConnector;

  beforeEach(async () => {
    bench = await Bench.start();
    site = await bench.site();
    connector = await FakeConnector.pair(bench, site.admin, 'one');
  });
  afterEach(() => bench.stop());

  const state = async () => (await bench.call<{ state: string }>(site.viewer, 'GET', '/v1/connectors/one')).body.state;
  const trust = () => bench.call(site.admin, 'POST', '/v1/connectors/one/trust', {});

  it('is believed through any number of cut links, acknowledged or not, stored or not', async () => {
    for (let i = 0; i < 60; i += 1) {
      const before = connector.generation;
      await connector.connect({ instanceId: `process ${i % 7}` }, i % 3 === 0);
      expect(connector.last('welcome')).toBeDefined();
      // Cut before the appliance had the new generation on its disk.
      if (i % 3 === 1) connector.generation = before;
    }
    expect(await state()).toBe('connected');
  });

  it('replaces its old connection', async () => {
    await connector.connect();
    const again = connector.clone();
    await again.connect({ instanceId: 'restarted' });
    expect(connector.closedWith?.reason).toContain('replaced');
    expect(again.last('welcome')).toBeDefined();
    expect(await state()).toBe('connected');
  });

  it('is believed when it calls again while it still writes what the last welcome gave it', async () => {
    await connector.connect();
    const { generation } = connector;
    await connector.connect({}, false);
    const slow = connector.generation;
    connector.generation = generation;
    await connector.connect({}, false);
    connector.generation = slow;
    await connector.connect();
    expect(connector.last('refused')).toBeUndefined();
    expect(await state()).toBe('connected');
  });

  it('is nobody when it was removed while it was let in', async () => {
    const { jobs } = bench.tools.store;
    const heldBy = jobs.heldBy.bind(jobs);
    jest.spyOn(jobs, 'heldBy').mockImplementationOnce(async (id) => {
      expect((await bench.call(site.admin, 'DELETE', '/v1/connectors/one')).status).toBe(204);
      return await heldBy(id);
    });
    await connector.connect();
    expect(connector.last('refused')?.error.code).toBe('CONNECTOR_UNKNOWN');
    expect(bench.tools.registry.get(connector.paired.connectorId)).toBeUndefined();
  });

  it('is refused with a proof that was made for another nonce', async () => {
    const { connectorId } = connector.paired;
    const spoken: ToConnector[] = [];
    const session = new Session(bench.desk, { send: (message) => spoken.push(message), close: () => undefined });
    const said = { version: '1', platforms: [], slots: 0, jobs: [] };
    const hello = { type: 'hello', connectorId, instanceId: 'i', generation: connector.generation, ...said };
    await session.receive(JSON.stringify(hello));
    const overheard = connector.keys.proof('the nonce of an earlier call', connectorId, 'i', connector.generation);
    await session.receive(JSON.stringify({ type: 'proof', signature: overheard }));
    expect(spoken.map(({ type }) => type)).toEqual(['challenge', 'refused']);
  });

  it('is refused without the key of the pairing', async () => {
    const stranger = await FakeConnector.pair(bench, site.admin, 'two');
    const impostor = new FakeConnector(bench, stranger.keys, connector.paired);
    await impostor.connect();
    expect(impostor.last('refused')?.error.code).toBe('CONNECTOR_REFUSED');
    expect(impostor.closedWith?.code).toBe(REFUSED);
    expect(await state()).toBe('disconnected');
  });

  it('is seen as a clone by its older generation; neither gets jobs or credentials until somebody vouches', async () => {
    await connector.connect();
    await bench.createJob(site.operator, {}, 'a');
    const held = await connector.accept();
    const clone = connector.clone();
    await connector.connect({ jobs: [{ ...held, state: 'running' }] });
    await clone.connect();
    expect(clone.last('refused')?.error.code).toBe('CONNECTOR_CLONED');
    expect(await state()).toBe('cloned');

    await bench.createJob(site.operator, {}, 'b');
    expect(connector.last('offer')).toBeUndefined();
    expect((await connector.credentials(held)).error?.code).toBe('CONNECTOR_CLONED');
    // What is under way goes on.
    expect(await connector.commit(held)).toBeUndefined();

    await trust();
    expect(await state()).toBe('connected');
    await bench.scheduler.idle();
    expect(connector.last('offer')).toBeDefined();
    await clone.connect();
    expect(clone.last('refused')?.error.code).toBe('CONNECTOR_CLONED');
  });

  it('may be the one with the older generation, when it calls first after somebody vouched', async () => {
    const snapshot = connector.clone();
    await connector.connect();
    await connector.connect();
    await connector.disconnect();
    await snapshot.connect();
    expect(await state()).toBe('cloned');
    await trust();
    await snapshot.connect();
    expect(snapshot.last('welcome')).toBeDefined();
    expect(await state()).toBe('connected');
    await connector.connect();
    await snapshot.connect();
    expect([connector, snapshot].map((each) => each.last('refused')?.error.code)).toContain('CONNECTOR_CLONED');
  });

  it('is nobody after it was removed', async () => {
    await connector.connect();
    expect((await bench.call(site.admin, 'DELETE', '/v1/connectors/one')).status).toBe(204);
    expect(connector.closedWith?.reason).toBe('CONNECTOR_UNKNOWN');
    await connector.connect();
    expect(connector.last('refused')?.error.code).toBe('CONNECTOR_UNKNOWN');
  });

  it('is cut off for a message that does not fit its schema or its place, with the reason', async () => {
    const cases: [string, string][] = [
      ['{', 'not JSON'],
      ['{"type":"renew","n":"x","leases":[]}', 'not a message'],
      ['{"type":"proof","signature":"x"}', 'not expected any more'],
    ];
    for (const [text, reason] of cases) {
      await connector.connect();
      await connector.sayRaw(text);
      expect(connector.closedWith).toMatchObject({ code: 1008, reason: expect.stringContaining(reason) });
      expect(await state()).toBe('disconnected');
    }
  });
});
