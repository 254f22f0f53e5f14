/** An engine that does not start, never answers, is somebody else, is lost or fails: each its own code, nothing left. */
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, it } from '@jest/globals';
import type { ErrorCode } from '../../../../src/protocol/errors.ts';
import { PARTIAL, Site, until } from './site.ts';

let site: Site;
let server: Server | undefined;
afterEach(async () => {
  await site.close();
  server?.close();
});

function expectFailed(code: ErrorCode): void {
  expect(site.ended()).toMatchObject({ state: 'failed', error: { code }, result: { leftovers: [] } });
  expect(site.platform.share.files.size).toBe(0);
  expect(site.platform.machines.size).toBe(0);
  expect(site.openRows()).toBe(0);
}

const consoleLines = () => site.bodies('log').filter(({ message }) => message.startsWith('engine console:'));

it('does not start', async () => {
  site = await Site.open({ script: { startFails: 'ENGINE_START_FAILED' } });
  await site.run();
  expectFailed('ENGINE_START_FAILED');
});

it('never answers: its port takes connections and closes them', async () => {
  site = await Site.open({ script: { mute: true }, engineStartTimeoutMs: 1_500 });
  await site.run();
  expectFailed('ENGINE_UNREACHABLE');
  expect(consoleLines()).toMatchObject([{ message: 'engine console:\nbooting\nengine double is ready' }]);
});

it('is somebody else', async () => {
  const received: Buffer[] = [];
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.write('220 somebody else ESMTP\r\n');
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  site = await Site.open();
  site.platform.addressInstead = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  await site.run();
  expectFailed('ENGINE_IMPOSTOR');
  // Handshake records only (RFC 5246 section 6.2.1: type 22, or an alert, 21).
  expect(received.map((chunk) => chunk[0]).every((type) => type === 22 || type === 21)).toBe(true);
});

it('is lost during the copy', async () => {
  site = await Site.open({ script: { holdAt: 'copy' } });
  const run = site.run();
  await until(() => site.platform.share.files.has(PARTIAL));
  await site.platform.crash();
  await run;
  expectFailed('ENGINE_LOST');
  expect(consoleLines()).toHaveLength(1);
});

it('fails by itself', async () => {
  site = await Site.open({ script: { failWith: 'HASH_MISMATCH' } });
  await site.run();
  expectFailed('HASH_MISMATCH');
});

it('is followed on through cut connections, with its task started once', async () => {
  site = await Site.open({ script: { holdAt: 'verify' } });
  const run = site.run();
  await until(() => site.job.steps.verify !== undefined);
  for (let cut = 0; cut < 3; cut += 1) {
    site.platform.engines[0]?.cutConnections();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  site.platform.engines[0]?.release();
  await run;
  expect(site.ended().state).toBe('complete');
  expect(site.platform.engines[0]?.tasksStarted).toBe(1);
  expect(site.events().map(({ seq }) => seq)).toEqual(site.events().map((_, index) => index + 1));
});
