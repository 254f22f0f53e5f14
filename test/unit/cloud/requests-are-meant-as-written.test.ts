/** A request with a word that is not known is refused and named: it may be what would have made the request harmless. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Problem } from '../../../src/protocol/rest.ts';
import { Bench, job } from './bench.ts';

let bench: Bench;
let site: Awaited<ReturnType<Bench['site']>>;
beforeAll(async () => {
  bench = await Bench.start();
  site = await bench.site();
});
afterAll(() => bench.stop());

const secret = { type: 'UsernamePassword', username: 'svc', password: 'p' };
const { parameters, ...rest } = job();

const BODIES: [name: string, method: 'POST' | 'PUT', path: string, body: object, word: string][] = [
  ['a job', 'POST', '/v1/jobs', { ...rest, parameters, dryRun: true }, 'dryRun'],
  ['its parameters', 'POST', '/v1/jobs', { ...rest, parameters: { ...parameters, dry_run: true } }, 'dry_run'],
  ['its limits', 'POST', '/v1/jobs', { ...job(), limits: { timeout: 5 } }, 'timeout'],
  [
    'its target',
    'POST',
    '/v1/jobs',
    { ...rest, parameters: { ...parameters, target: { ...parameters.target, Format: 'vhd' } } },
    'Format',
  ],
  [
    'its source',
    'POST',
    '/v1/jobs',
    { ...rest, parameters: { ...parameters, source: { ...parameters.source, snapshot: 's' } } },
    'snapshot',
  ],
  ['a credential', 'PUT', '/v1/credentials/c', { secret, allowedTargets: ['smb://h'], allow: [] }, 'allow'],
  [
    'its secret',
    'PUT',
    '/v1/credentials/c',
    { secret: { ...secret, Domain: 'CORP' }, allowedTargets: ['smb://h'] },
    'Domain',
  ],
  ['a confirmation', 'POST', '/v1/pairing-codes/ABCDEFGH/confirm', { resourceLocation: 'lab', finger: 'x' }, 'finger'],
];

it.each(BODIES)('%s', async (_name, method, path, body, word) => {
  const answer = await bench.call<Problem>(site.admin, method, path, body);
  expect(answer).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
  expect(answer.body.detail).toContain(`"${word}"`);
});

it.each(['/v1/jobs?Limit=1', '/v1/audit?after=1', '/v1/jobs?before='])('a query: %s', async (path) => {
  const answer = await bench.call<Problem>(site.admin, 'GET', path);
  expect([answer.status >= 400, answer.status < 500]).toEqual([true, true]);
});
