/** Jobs and the audit log are listed newest first, and what is older than a page is on the next one. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { JobView } from '../../../src/protocol/rest.ts';
import { Bench } from './bench.ts';

let bench: Bench;
let site: Awaited<ReturnType<Bench['site']>>;
const made: string[] = [];
beforeAll(async () => {
  bench = await Bench.start();
  site = await bench.site();
  // Two in each moment.
  for (let n = 0; n < 7; n += 1) {
    const { body } = await bench.createJob(site.operator, {}, `disk-${n}`);
    made.push(body.id);
    if (n % 2 === 1) await bench.advance(1_000);
  }
});
afterAll(() => bench.stop());

const page = async (query: string) =>
  (await bench.call<JobView[]>(site.viewer, 'GET', `/v1/jobs?limit=3${query}`)).body.map(({ id }) => id);

it('jobs: each once, in order', async () => {
  const all: string[] = [];
  for (let next = await page(''); next.length > 0 && all.length < 20; next = await page(`&before=${next.at(-1)}`))
    all.push(...next);
  expect(all).toHaveLength(7);
  expect([...all].sort()).toEqual([...made].sort());
  expect(all[0]).toBe(made[6]);
  expect(await page('&state=complete')).toEqual([]);
});

it('jobs: not after one that is not there, or is another customer’s', async () => {
  const other = await bench.site('other');
  const { body } = await bench.createJob(other.operator);
  for (const id of [body.id, 'job-0'])
    expect((await bench.call(site.viewer, 'GET', `/v1/jobs?before=${id}`)).status).toBe(404);
});

it('audit rows', async () => {
  const rows = async (query: string) =>
    (await bench.call<{ id: number }[]>(site.admin, 'GET', `/v1/audit?limit=2${query}`)).body.map(({ id }) => id);
  const [first = 0, second = 0] = await rows('');
  expect(await rows(`&before=${second}`)).toEqual([second - 1, second - 2]);
  expect(first).toBe(second + 1);
});
