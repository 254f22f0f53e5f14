import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROLES } from '../../../src/protocol/rest.ts';
import { Bench, job } from './bench.ts';
import { FakeConnector } from './fake-connector.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Every route with a token: the lowest role that may call it. A route that is missing here fails the first test. */
const LOWEST: Record<string, (typeof ROLES)[number]> = {
  'POST /v1/jobs': 'operator',
  'GET /v1/jobs': 'viewer',
  'GET /v1/jobs/{id}': 'viewer',
  'POST /v1/jobs/{id}/cancel': 'operator',
  'GET /v1/jobs/{id}/log': 'viewer',
  'GET /v1/jobs/{id}/events': 'viewer',
  'POST /v1/resource-locations': 'operator',
  'GET /v1/resource-locations': 'viewer',
  'DELETE /v1/resource-locations/{name}': 'admin',
  'POST /v1/pairing-codes': 'admin',
  'GET /v1/pairing-codes': 'admin',
  'POST /v1/pairing-codes/{code}/confirm': 'admin',
  'GET /v1/connectors': 'viewer',
  'GET /v1/connectors/{name}': 'viewer',
  'DELETE /v1/connectors/{name}': 'admin',
  'POST /v1/connectors/{name}/trust': 'admin',
  'POST /v1/connectors/{name}/lost': 'operator',
  'PUT /v1/credentials/{name}': 'admin',
  'GET /v1/credentials': 'viewer',
  'GET /v1/credentials/{name}': 'viewer',
  'DELETE /v1/credentials/{name}': 'admin',
  'POST /v1/api-tokens': 'admin',
  'GET /v1/api-tokens': 'admin',
  'DELETE /v1/api-tokens/{id}': 'admin',
  'GET /v1/audit': 'admin',
  'GET /v1/status': 'viewer',
};
const WITHOUT_TOKEN = ['POST /v1/pairing/redeem', 'POST /v1/pairing/claims', 'GET /v1/pairing/claims/{claimId}'];

describe('a token', () => {
  let bench: Bench;
  let site: Awaited<ReturnType<Bench['site']>>;
  let routes: string[];

  beforeAll(async () => {
    bench = await Bench.start();
    site = await bench.site();
    const { body } = await bench.call<{ paths: Record<string, object> }>(undefined, 'GET', '/v1/openapi.json');
    routes = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
  });
  afterAll(() => bench.stop());

  it('is demanded by every route but those of an appliance that pairs', async () => {
    expect(routes.toSorted()).toEqual([...Object.keys(LOWEST), ...WITHOUT_TOKEN].toSorted());
    for (const route of Object.keys(LOWEST)) {
      const [method, path] = route.split(' ') as [Method, string];
      // Few enough not to meet the limit of failed logins.
      const answer = await bench.call<{ code: string }>(undefined, method, path.replace(/\{\w+\}/, 'ABCDEFGH'));
      expect([route, answer.status, answer.body.code]).toEqual([route, 401, 'UNAUTHENTICATED']);
    }
  });

  it.each(Object.entries(LOWEST))('for %s needs the role %s', async (route, lowest) => {
    const [method, path] = route.split(' ') as [Method, string];
    for (const role of ROLES) {
      const answer = await bench.call<{ code?: string } | undefined>(
        site[role],
        method,
        path.replace(/\{\w+\}/, 'ABCDEFGH'),
      );
      const isRefused = answer.body?.code === 'FORBIDDEN';
      expect([role, isRefused]).toEqual([role, ROLES.indexOf(role) < ROLES.indexOf(lowest)]);
    }
  });

  it('of one customer sees nothing of another', async () => {
    const connector = await FakeConnector.pair(bench, site.admin, 'mine');
    await connector.connect();
    const { body } = await bench.createJob(site.operator);
    const stranger = await bench.customer('stranger');
    const refused: [Method, string, object?][] = [
      ['GET', `/v1/jobs/${body.id}`],
      ['POST', `/v1/jobs/${body.id}/cancel`],
      ['GET', `/v1/jobs/${body.id}/log`],
      ['GET', `/v1/jobs/${body.id}/events`],
      ['POST', '/v1/jobs', job()],
      ['GET', '/v1/connectors/mine'],
      ['GET', `/v1/connectors/${connector.paired.connectorId}`],
      ['DELETE', '/v1/connectors/mine'],
      ['POST', '/v1/connectors/mine/trust', {}],
      ['POST', '/v1/connectors/mine/lost', {}],
      ['GET', '/v1/credentials/share'],
      ['DELETE', '/v1/credentials/share'],
      ['DELETE', '/v1/resource-locations/lab'],
      ['POST', '/v1/pairing-codes', { resourceLocation: 'lab' }],
    ];
    for (const [method, path, payload] of refused) {
      const answer = await bench.call<{ code: string }>(stranger.admin, method, path, payload);
      expect([method, path, answer.status, answer.body.code]).toEqual([method, path, 404, 'NOT_FOUND']);
    }
    for (const list of ['jobs', 'connectors', 'credentials', 'resource-locations', 'audit']) {
      const answer = await bench.call<unknown[]>(stranger.admin, 'GET', `/v1/${list}`);
      expect([list, answer.body]).toEqual([list, []]);
    }
    const tokens = await bench.call<unknown[]>(stranger.admin, 'GET', '/v1/api-tokens');
    expect(tokens.body).toHaveLength(3);
    const status = await bench.call(stranger.viewer, 'GET', '/v1/status');
    expect(status.body).toMatchObject({ customer: 'stranger', connectors: { total: 0 }, jobs: { queued: 0 } });
  });

  it('works no more once it is revoked', async () => {
    const made = await bench.call<{ id: string; token: string }>(site.admin, 'POST', '/v1/api-tokens', {
      name: 'x',
      role: 'viewer',
    });
    expect((await bench.call(made.body.token, 'GET', '/v1/status')).status).toBe(200);
    await bench.call(site.admin, 'DELETE', `/v1/api-tokens/${made.body.id}`);
    expect((await bench.call(made.body.token, 'GET', '/v1/status')).status).toBe(401);
  });
});
