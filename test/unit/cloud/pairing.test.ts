import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { applianceFingerprint } from '../../../src/protocol/fingerprint.ts';
import { ApplianceKeys } from '../../harness/appliance-keys.ts';
import { type Answer, Bench } from './bench.ts';

type Body = { code: string; connectorId: string; connectorName: string; claimId: string; state: string };

describe('pairing', () => {
  let bench: Bench;
  let site: Awaited<ReturnType<Bench['site']>>;

  beforeEach(async () => {
    bench = await Bench.start();
    site = await bench.site();
  });
  afterEach(() => bench.stop());

  const issue = async () =>
    (await bench.call<Body>(site.admin, 'POST', '/v1/pairing-codes', { resourceLocation: 'LAB' })).body.code;
  const redeem = (shown: string, keys = new ApplianceKeys(), name = 'appliance'): Promise<Answer<Body>> => {
    const signed = keys.pairingRequest(name, shown.toUpperCase().replace('-', ''));
    return bench.call<Body>(undefined, 'POST', '/v1/pairing/redeem', { ...signed, code: shown });
  };
  const claim = (keys: ApplianceKeys) =>
    bench.call<Body>(undefined, 'POST', '/v1/pairing/claims', keys.pairingRequest('appliance', ''));
  const confirm = (code: string, more: object = {}, token = site.admin) =>
    bench.call<Body>(token, 'POST', `/v1/pairing-codes/${code}/confirm`, { resourceLocation: 'lab', ...more });

  it('by a code takes it as people type it, once', async () => {
    const code = await issue();
    expect(code).toMatch(/^[ABCDEFGHJKMNPQRSTVWXYZ2-9]{4}-[ABCDEFGHJKMNPQRSTVWXYZ2-9]{4}$/);
    expect(await redeem(code.toLowerCase())).toMatchObject({ status: 200, body: { connectorName: 'appliance' } });
    expect(await redeem(code)).toMatchObject({ status: 409, body: { code: 'PAIRING_CODE_USED' } });
  });

  it('by a code may be repeated by the same appliance, in case it never got the answer', async () => {
    const code = await issue();
    const keys = new ApplianceKeys();
    const first = await redeem(code, keys);
    expect((await redeem(code, keys)).body).toEqual(first.body);
  });

  it('lets one of two appliances have a code that both redeem at once', async () => {
    const code = await issue();
    const answers = await Promise.all([redeem(code), redeem(code)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it('uses a code up by one statement, so that on any database only the first of two wins', async () => {
    const code = (await issue()).replace('-', '');
    const { pairing } = bench.tools.store;
    const { id = '' } = (await pairing.code(bench.lockbox.keyedHash('pairing code', code))) ?? {};
    expect([await pairing.useCode(id, 'con-1', 'now'), await pairing.useCode(id, 'con-2', 'now')]).toEqual([
      true,
      false,
    ]);
  });

  it('tells an unknown, an expired and a forged request apart', async () => {
    expect((await redeem('ABCD-EFGH')).body.code).toBe('PAIRING_CODE_UNKNOWN');
    expect((await redeem('what?')).body.code).toBe('PAIRING_CODE_UNKNOWN');
    const code = await issue();
    const mine = new ApplianceKeys().pairingRequest('appliance', code.replace('-', ''));
    const { signKey } = new ApplianceKeys().appliance('appliance');
    const forged = await bench.call<Body>(undefined, 'POST', '/v1/pairing/redeem', { ...mine, signKey, code });
    expect(forged.body.code).toBe('CONNECTOR_REFUSED');
    bench.clock.advance(15 * 60_000);
    expect(await redeem(code)).toMatchObject({ status: 410, body: { code: 'PAIRING_CODE_EXPIRED' } });
  });

  it('gives a second appliance of the same name another name', async () => {
    const names = [];
    for (let i = 0; i < 3; i += 1) names.push((await redeem(await issue())).body.connectorName);
    expect(names).toEqual(['appliance', 'appliance-2', 'appliance-3']);
  });

  it('limits the tries of one address, and says when to try again', async () => {
    for (let i = 0; i < 20; i += 1) await redeem('ABCD-EFGH');
    const limited = await redeem(await issue());
    expect(limited).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
    bench.clock.advance(Number(limited.headers['retry-after']) * 1000);
    expect((await redeem(await issue())).status).toBe(200);
  });

  it('is not kept from operators by strangers, who are counted by their network', async () => {
    const from = (remoteAddress: string) =>
      bench.api.inject({ method: 'POST', url: '/v1/pairing/redeem', remoteAddress, payload: forged });
    const forged = { ...new ApplianceKeys().pairingRequest('x', 'ABCDEFGH'), code: 'ABCD-EFGH' };
    const statuses = [];
    for (let host = 1; host <= 21; host += 1) statuses.push((await from(`2001:db8:0:7::${host}`)).statusCode);
    expect(statuses).toEqual([...Array(20).fill(404), 429]);
    expect((await from('2001:db8:0:8::1')).statusCode).toBe(404);
    expect((await from('::ffff:192.0.2.1')).statusCode).toBe(404);
    const claimed = (await claim(new ApplianceKeys())).body;
    expect((await confirm(claimed.code)).status).toBe(200);
  });

  it('the other way round: waits until an operator who saw the fingerprint confirms', async () => {
    const keys = new ApplianceKeys();
    const claimed = (await claim(keys)).body;
    const look = () => bench.call<Body>(undefined, 'GET', `/v1/pairing/claims/${claimed.claimId}`);
    expect((await look()).body).toEqual({ state: 'pending' });
    const fingerprint = applianceFingerprint(keys.appliance('appliance').signKey);
    const pending = await bench.call(site.admin, 'GET', `/v1/pairing-codes?code=${claimed.code}`);
    expect(pending.body).toMatchObject([{ code: claimed.code, applianceName: 'appliance', fingerprint }]);
    expect((await confirm(claimed.code, { fingerprint: 'ab12' })).body.code).toBe('REQUEST_INVALID');
    expect(await confirm(claimed.code, { fingerprint })).toMatchObject({ status: 200, body: { name: 'appliance' } });
    expect((await look()).body).toMatchObject({ state: 'paired', paired: { connectorName: 'appliance' } });
    expect((await confirm(claimed.code)).body.code).toBe('PAIRING_CODE_USED');
  });

  it('the other way round: bounds what waits, forgets it after 15 minutes, and lists it to one customer only', async () => {
    const codes = [];
    for (let i = 0; i < 5; i += 1) codes.push((await claim(new ApplianceKeys())).body.code);
    expect((await claim(new ApplianceKeys())).body.code).toBe('PAIRING_TOO_MANY_PENDING');
    expect((await bench.call<unknown[]>(site.admin, 'GET', '/v1/pairing-codes')).body).toHaveLength(5);
    const other = await bench.customer('other');
    expect((await bench.call(other.admin, 'GET', '/v1/pairing-codes')).status).toBe(400);
    bench.clock.advance(15 * 60_000);
    expect((await confirm(codes[0] ?? '')).body.code).toBe('PAIRING_CODE_EXPIRED');
    expect((await claim(new ApplianceKeys())).status).toBe(201);
  });

  it('leaves no issued code in the database, not even as a hash that could be searched', async () => {
    const code = (await issue()).replace('-', '');
    const plainHash = createHash('sha256').update(code).digest('hex');
    const { pairing } = bench.tools.store;
    expect([await pairing.code(code), await pairing.code(plainHash)]).toEqual([undefined, undefined]);
    expect(await pairing.code(bench.lockbox.keyedHash('pairing code', code))).toMatchObject({ usedAt: null });
  });
});
