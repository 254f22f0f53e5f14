import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Bench, TERMS } from './bench.ts';
import { FakeConnector } from './fake-connector.ts';

describe('credentials', () => {
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

  const audit = async (action: string) => {
    const { body } = await bench.call<{ action: string; actor: string; subject: string; detail: unknown }[]>(
      site.admin,
      'GET',
      '/v1/audit',
    );
    return body.filter((row) => row.action === action);
  };

  it('reach the holder, sealed to its key and place, with an audit row', async () => {
    await bench.createJob(site.operator);
    const held = await connector.accept();
    const { envelopes } = await connector.credentials(held);
    const [envelope] = envelopes ?? [];
    if (!envelope) throw new Error('no envelope');
    const { customerId, connectorId } = connector.paired;
    const place = { customerId, connectorId, ...held };
    expect(JSON.parse(connector.keys.open(envelope, place))).toMatchObject({ password: 'a planted secret' });
    expect(() => connector.keys.open(envelope, { ...place, token: '1.9' })).toThrow();
    expect(JSON.stringify(envelope)).not.toContain('planted');
    expect(await audit('credential.deliver')).toMatchObject([
      { actor: 'connector:one', subject: held.jobId, detail: { purpose: 'run', credentials: ['share@1'] } },
    ]);
  });

  it('reach nobody but the holder of the current token', async () => {
    await bench.createJob(site.operator);
    const held = await connector.accept();
    const other = await FakeConnector.pair(bench, site.admin, 'two');
    await other.connect();
    expect((await other.credentials(held)).error?.code).toBe('LEASE_LOST');
    expect((await connector.credentials({ ...held, token: '1.7' })).error?.code).toBe('LEASE_LOST');
    await connector.end(held, 'failed');
    expect((await connector.credentials(held)).error?.code).toBe('LEASE_LOST');
    expect(await audit('credential.deliver')).toEqual([]);
  });

  it('are refused when a job is made for a host that is not allowed, or for a credential that is not there', async () => {
    await bench.putCredential(site.admin, 'x', ['smb://elsewhere.example']);
    expect(await bench.createJob(site.operator)).toMatchObject({
      status: 403,
      body: { code: 'CREDENTIAL_TARGET_REFUSED' },
    });
    await bench.call(site.admin, 'DELETE', '/v1/credentials/share');
    expect(await bench.createJob(site.operator)).toMatchObject({ status: 404, body: { code: 'CREDENTIAL_NOT_FOUND' } });
  });

  it('are checked against the allowed targets again when they are asked for', async () => {
    await bench.createJob(site.operator);
    const held = await connector.accept();
    await bench.putCredential(site.admin, 'x', ['smb://elsewhere.example']);
    expect((await connector.credentials(held)).error?.code).toBe('CREDENTIAL_TARGET_REFUSED');
    expect(await audit('credential.deliver')).toEqual([]);
  });

  it('are given for teardown to the maker of what is left, or to another one when the maker is lost', async () => {
    await bench.createJob(site.operator);
    const held = await connector.accept();
    const row = { id: 'row-1', kind: 'partial', name: 'x', state: 'made' as const, tags: {} };
    await connector.tell(held, { kind: 'ledger', row });
    await connector.end(held, 'failed');
    expect((await connector.credentials(held, 'teardown')).envelopes).toHaveLength(1);

    const other = await FakeConnector.pair(bench, site.admin, 'two');
    await other.connect();
    expect((await other.credentials(held, 'teardown')).error?.code).toBe('LEASE_LOST');
    await connector.disconnect();
    await bench.call(site.operator, 'POST', '/v1/connectors/one/lost', {});
    expect((await other.credentials(held, 'teardown')).envelopes).toHaveLength(1);
  });

  it('are not given for teardown to one who only claims to have made something', async () => {
    await bench.createJob(site.operator);
    const held = await connector.accept();
    const other = await FakeConnector.pair(bench, site.admin, 'two');
    await other.connect();
    const row = { id: 'row-1', kind: 'partial', name: 'x', state: 'made' as const, tags: {} };
    await other.tell(held, { kind: 'ledger', row });
    expect((await other.credentials(held, 'teardown')).error?.code).toBe('LEASE_LOST');
    expect((await bench.job(site.viewer, held.jobId)).openLedger).toEqual([]);
  });

  it('are given for teardown also when the lost maker was removed, but not while it holds the job', async () => {
    await bench.createJob(site.operator);
    const held = await connector.accept();
    const row = { id: 'row-1', kind: 'partial', name: 'x', state: 'made' as const, tags: {} };
    await connector.tell(held, { kind: 'ledger', row });
    const other = await FakeConnector.pair(bench, site.admin, 'two');
    await other.connect({ slots: 0 });
    await connector.disconnect();
    await bench.call(site.operator, 'POST', '/v1/connectors/one/lost', {});
    expect((await other.credentials(held, 'teardown')).error?.code).toBe('LEASE_LOST');
    await bench.advance(TERMS.ttlMs + TERMS.graceMs + 1);
    expect((await bench.call(site.admin, 'DELETE', '/v1/connectors/one')).status).toBe(204);
    expect((await other.credentials(held, 'teardown')).envelopes).toHaveLength(1);
  });

  it('never come out of the API, and get a new version number even after a deletion', async () => {
    await bench.call(site.admin, 'DELETE', '/v1/credentials/share');
    const put = await bench.putCredential(site.admin);
    const listed = await bench.call(site.viewer, 'GET', '/v1/credentials');
    const shown = await bench.call(site.viewer, 'GET', '/v1/credentials/share');
    expect(put.body).toMatchObject({ name: 'share', version: 2 });
    for (const answer of [put, listed, shown]) expect(JSON.stringify(answer.body)).not.toContain('planted');
  });
});
