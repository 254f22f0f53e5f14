/** Whatever is wrong with a request, down to its very bytes, the answer is a problem document with a code and a hint. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Doors } from '../../../src/lib/doors.ts';
import { PinnedTls } from '../../../src/lib/pinned-tls.ts';
import { problemSchema } from '../../../src/protocol/rest.ts';
import { RunningCloud } from './running-cloud.ts';

let folder: string;
let cloud: RunningCloud;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ips-problems-'));
  cloud = await RunningCloud.start(folder);
});
afterAll(async () => {
  await cloud.service.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Sends bytes and reads to the end of the connection. */
async function answerTo(bytes: string): Promise<{ status: number; type: string | undefined; body: unknown }> {
  const url = new URL(cloud.service.url);
  const tls = new PinnedTls({ url, trust: { kind: 'pins', pins: [cloud.service.pin] } }, new Doors());
  const socket = connect({
    host: '127.0.0.1',
    port: Number(url.port),
    ...(await tls.options(AbortSignal.timeout(30_000))),
  });
  socket.write(bytes.replaceAll('\n', '\r\n'));
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  const [head = '', body = ''] = text.split('\r\n\r\n');
  return {
    status: Number(head.split(' ')[1]),
    type: /^content-type: (\S+?)(?:;.*)?\r?$/im.exec(head)?.[1],
    body: JSON.parse(body),
  };
}

const request = (line: string, headers = '', body = '') =>
  `${line} HTTP/1.1\nhost: cloud\nconnection: close\nauthorization: Bearer ${cloud.adminToken}\n${headers}content-length: ${body.length}\n\n${body}`;

it.each<[string, () => string, number, string]>([
  ['a path that cannot be decoded', () => request('GET /v1/jobs/%zz'), 400, 'REQUEST_INVALID'],
  ['a name that is far too long', () => request(`GET /v1/jobs/${'x'.repeat(300)}`), 400, 'REQUEST_INVALID'],
  ['no such path', () => request('GET /v1/nothing'), 404, 'NOT_FOUND'],
  ['headers without end', () => request('GET /v1/jobs', `x: ${'x'.repeat(40_000)}\n`), 400, 'REQUEST_INVALID'],
  ['no HTTP', () => 'hello\n\n', 400, 'REQUEST_INVALID'],
  [
    'a body of another kind',
    () => request('POST /v1/jobs', 'content-type: text/plain\n', 'hi'),
    400,
    'REQUEST_INVALID',
  ],
  [
    'a body that is no JSON',
    () => request('POST /v1/jobs', 'content-type: application/json\n', '{'),
    400,
    'REQUEST_INVALID',
  ],
  [
    'a body that is too large',
    () => request('POST /v1/jobs', 'content-type: application/json\n', `"${'x'.repeat(300_000)}"`),
    400,
    'REQUEST_INVALID',
  ],
])('%s', async (_what, bytes, status, code) => {
  const answer = await answerTo(bytes());
  expect(answer).toMatchObject({ status, type: 'application/problem+json', body: { status, code } });
  expect(problemSchema.parse(answer.body).hint).not.toBe('');
});
