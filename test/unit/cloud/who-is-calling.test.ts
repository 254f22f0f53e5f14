import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Bench } from './bench.ts';
import { FakeConnector, REFUSED } from './fake-connector.ts';

describe('who is calling', () => {
  let bench: Bench;
  let site: Awaited<ReturnType<Bench['site']>>;
  let connector: FakeConnector;

  beforeEach(async () => {
    bench = await Bench.start();
    site = await bench.site();
    connector = await FakeConnector.pair(bench, site.operator, 'one');
  });
  afterEach(() => bench.stop());

  const state = async () => (await bench.call<{ state: string }>(site.viewer, 'GET', '/v1/connectors/one')).body.state;
  const trust = () => bench.call(site.operator, 'POST', '/v1/connectors/one/trust', {});

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

  it('is refused without the key of the pairing, and for another nonce', async () => {
    const stranger = await FakeConnector.pair(bench, site.operator, 'two');
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
