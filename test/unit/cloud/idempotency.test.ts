import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { JobView } from '../../../src/protocol/rest.ts';
import { Bench, job } from './bench.ts';

describe('an Idempotency-Key', () => {
  let bench: Bench;
  let site: Awaited<ReturnType<Bench['site']>>;

  beforeEach(async () => {
    bench = await Bench.start();
    site = await bench.site();
  });
  afterEach(() => bench.stop());

  const post = (body: object, key: string, token = site.operator) =>
    bench.call<JobView & { code: string }>(token, 'POST', '/v1/jobs', body, { 'idempotency-key': key });

  it('gives the same request the same answer, and no second job', async () => {
    const first = await post(job(), 'k');
    await bench.call(site.operator, 'POST', `/v1/jobs/${first.body.id}/cancel`);
    const again = await post(job(), 'k');
    expect([again.status, again.headers.location, again.body]).toEqual([202, first.headers.location, first.body]);
    expect((await bench.call<unknown[]>(site.viewer, 'GET', '/v1/jobs')).body).toHaveLength(1);
  });

  it('makes one job of two requests at the same moment', async () => {
    const [one, two] = await Promise.all([post(job(), 'k'), post(job(), 'k')]);
    expect(one.body.id).toBe(two.body.id);
  });

  it('is refused for another request, and means nothing to another customer', async () => {
    await post(job(), 'k');
    expect(await post(job('other'), 'k')).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    const other = await bench.site('other');
    expect((await post(job('other'), 'k', other.operator)).status).toBe(202);
  });

  it('is not used up by a request that was refused', async () => {
    expect((await post({ ...job(), resourceLocation: 'nowhere' }, 'k')).status).toBe(404);
    expect((await post(job(), 'k')).status).toBe(202);
  });
});
