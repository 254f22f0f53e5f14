/**
 * Whoever answers on the engine's port without its key gets not one application byte: no TLS record of type 23 (RFC 5246
 * section 6.2.1) reaches them, and no text of ours in any byte. And each is told apart from nobody being there.
 */
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { afterEach, expect, it } from '@jest/globals';
import { EngineClient } from '../../../../src/connector/engine-client.ts';
import { EngineSilence, EngineStranger } from '../../../../src/connector/engine-tls.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { Doors } from '../../../../src/lib/doors.ts';
import { ENGINE_TLS, SESSION_IDENTITY } from '../../../../src/protocol/engine.ts';
import { makeCertificate } from '../../../harness/certificates.ts';

const KEY = Buffer.alloc(32, 7);
const PLANTED = 'planted-token-0815';

const servers: Server[] = [];
const sockets = new Set<Socket>();
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

/** A TCP server that remembers every byte it got, and hands the connection on. */
async function impostor(answer: (socket: Socket) => void): Promise<{ port: number; received: () => Buffer }> {
  const chunks: Buffer[] = [];
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, received: () => Buffer.concat(chunks) };
}

/** One that speaks TLS: every byte that it can decrypt is kept too. */
async function tlsImpostor(options: TlsOptions) {
  const decrypted: Buffer[] = [];
  const tls = createTlsServer(options, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => decrypted.push(chunk));
  });
  tls.on('tlsClientError', () => undefined);
  // A relay in front of it, so that the raw records are seen as well.
  await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
  servers.push(tls);
  const relay = await impostor((socket) => {
    const inner = connect((tls.address() as AddressInfo).port, '127.0.0.1');
    sockets.add(inner);
    inner.on('error', () => socket.destroy());
    socket.pipe(inner).pipe(socket);
  });
  return { ...relay, decrypted: () => Buffer.concat(decrypted) };
}

/** Content types of the TLS records in what was received. */
function recordTypes(bytes: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) types.push(bytes[at] ?? 0);
  return types;
}

async function meet(port: number, limitMs = 30_000): Promise<unknown> {
  const tools = { doors: new Doors(), clock: systemClock() };
  const client = new EngineClient({ host: '127.0.0.1', port }, { identity: SESSION_IDENTITY, key: KEY }, tools);
  return await client.commit(PLANTED, AbortSignal.timeout(limitMs)).then(
    () => 'answered',
    (error: unknown) => error,
  );
}

function expectNothingOfOurs(received: Buffer): void {
  expect(received.length).toBeGreaterThan(0);
  expect(recordTypes(received)).not.toContain(23);
  expect(received.includes(PLANTED)).toBe(false);
  expect(received.includes('HTTP/1.1')).toBe(false);
}

it.each(['TLSv1.2', 'TLSv1.3'] as const)('a server with a certificate, %s', async (version) => {
  const { key, cert } = await makeCertificate();
  const peer = await tlsImpostor({ key, cert, minVersion: version, maxVersion: version });
  expect(await meet(peer.port)).toBeInstanceOf(EngineStranger);
  expectNothingOfOurs(peer.received());
  expect(peer.decrypted()).toHaveLength(0);
});

it('a server with the cipher and another key', async () => {
  const peer = await tlsImpostor({ ...ENGINE_TLS, pskCallback: () => Buffer.alloc(32, 8) });
  expect(await meet(peer.port)).toBeInstanceOf(EngineStranger);
  expectNothingOfOurs(peer.received());
  expect(peer.decrypted()).toHaveLength(0);
});

it('a server with the key and another cipher', async () => {
  const peer = await tlsImpostor({ ...ENGINE_TLS, ciphers: 'ECDHE-PSK-AES256-CBC-SHA384', pskCallback: () => KEY });
  expect(await meet(peer.port)).toBeInstanceOf(EngineStranger);
  expectNothingOfOurs(peer.received());
  expect(peer.decrypted()).toHaveLength(0);
});

/** What a ClientHello offers (RFC 5246 section 7.4.1.2): its version, its cipher suites, the types of its extensions. */
function offered(hello: Buffer): { version: number; suites: number[]; extensions: number[] } {
  let at = 5 + 4;
  const version = hello.readUInt16BE(at);
  at += 2 + 32;
  at += 1 + hello.readUInt8(at);
  const suites = Array.from({ length: hello.readUInt16BE(at) / 2 }, (_, index) =>
    hello.readUInt16BE(at + 2 + 2 * index),
  );
  at += 2 + 2 * suites.length;
  at += 1 + hello.readUInt8(at);
  const end = at + 2 + hello.readUInt16BE(at);
  const extensions: number[] = [];
  for (at += 2; at < end; at += 4 + hello.readUInt16BE(at + 2)) extensions.push(hello.readUInt16BE(at));
  return { version, suites, extensions };
}

it('a server that takes everything and says nothing', async () => {
  const peer = await impostor(() => undefined);
  expect(await meet(peer.port, 2_000)).toMatchObject({ name: 'TimeoutError' });
  expectNothingOfOurs(peer.received());
  const { version, suites, extensions } = offered(peer.received());
  // TLS 1.2, ECDHE-PSK-CHACHA20-POLY1305 (RFC 7905), nothing else.
  expect(version).toBe(0x0303);
  expect(suites).toEqual([0xccac]);
  // supported_versions (RFC 8446 section 4.2.1) would offer TLS 1.3.
  expect(extensions).not.toContain(43);
});

it('a server that speaks first, in plain text', async () => {
  const peer = await impostor((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'));
  expect(await meet(peer.port)).toBeInstanceOf(EngineStranger);
  // It may have cut the handshake before our first record arrived.
  expect(recordTypes(peer.received())).not.toContain(23);
  expect(peer.received().includes(PLANTED)).toBe(false);
});

it('a port forwarder whose guest does not listen yet is nobody, not an impostor', async () => {
  const closes = await impostor((socket) => socket.once('data', () => socket.end()));
  expect(await meet(closes.port)).toBeInstanceOf(EngineSilence);
  const resets = await impostor((socket) => socket.once('data', () => socket.resetAndDestroy()));
  expect(await meet(resets.port)).toBeInstanceOf(EngineSilence);
  const refuses = await impostor(() => undefined);
  for (const server of servers.splice(0)) server.close();
  expect(await meet(refuses.port)).toBeInstanceOf(EngineSilence);
});
