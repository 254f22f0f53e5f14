/** Who may talk to the engine: the boot key once, the session key from then on, TLS 1.2 with PSK and nothing else. */
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  BOOT_ID_HEADER,
  BOOT_IDENTITY,
  ENGINE_PATHS,
  ENGINE_TLS,
  SESSION_IDENTITY,
} from '../../../src/protocol/engine.ts';
import { AgentProcess, BOOT_KEY, never, SESSION_KEY } from './agent-process.ts';

let folder: string;
let agent: AgentProcess;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-'));
  agent = await AgentProcess.start({ folder, sourceMiB: 1, dataMiB: [] });
});
afterAll(async () => {
  await agent.kill();
  await rm(folder, { recursive: true });
});

function open(identity: string, key: Buffer, options: object = ENGINE_TLS): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...options,
      host: '127.0.0.1',
      port: agent.port,
      pskCallback: () => ({ identity, psk: key }),
      checkServerIdentity: () => undefined,
    });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
  });
}

describe('before a session', () => {
  it('the boot key opens nothing but the session path', async () => {
    const boot = agent.client(BOOT_IDENTITY, BOOT_KEY);
    await expect(boot.status(never())).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(boot.putTask(agent.task(), never())).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(boot.finish(never())).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('a wrong key ends in the handshake', async () => {
    await expect(open(BOOT_IDENTITY, SESSION_KEY)).rejects.toThrow();
    await expect(open(SESSION_IDENTITY, SESSION_KEY)).rejects.toThrow();
    await expect(open('somebody', BOOT_KEY)).rejects.toThrow();
  });
});

describe('with a session', () => {
  let idle: TLSSocket;
  let resumable: Buffer | undefined;
  beforeAll(async () => {
    idle = await open(BOOT_IDENTITY, BOOT_KEY);
    idle.resume();
    resumable = idle.getSession();
    await agent.client(BOOT_IDENTITY, BOOT_KEY).putSession(SESSION_KEY, never());
  });

  it('connections that the boot key had opened are closed', async () => {
    if (!idle.destroyed) await new Promise((resolve) => idle.once('close', resolve));
    expect(idle.destroyed).toBe(true);
  });

  it('the boot key opens no connection any more, nor does resuming an old one', async () => {
    await expect(open(BOOT_IDENTITY, BOOT_KEY)).rejects.toThrow();
    await expect(open(BOOT_IDENTITY, BOOT_KEY, { ...ENGINE_TLS, session: resumable })).rejects.toThrow();
  });

  it('the session key opens everything, and the session again', async () => {
    const { bootId } = await agent.client().status(never());
    expect(await agent.client().putSession(SESSION_KEY, never())).toMatchObject({ bootId });
    await expect(agent.client().putSession(BOOT_KEY, never())).rejects.toMatchObject({ code: 'ENGINE_REFUSED' });
  });

  it('TLS 1.3 is not spoken', async () => {
    await expect(
      open(SESSION_IDENTITY, SESSION_KEY, { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' }),
    ).rejects.toThrow();
  });

  // Each has a pre-shared key, and the client proves the right one: it is the server that does not take the cipher.
  it.each([
    'PSK-CHACHA20-POLY1305',
    'DHE-PSK-CHACHA20-POLY1305',
    'ECDHE-PSK-AES128-CBC-SHA256',
    'PSK-AES256-GCM-SHA384',
  ])('TLS 1.2 with %s is not spoken', async (ciphers) => {
    // Node's default level leaves some of them out, and the client would refuse by itself.
    const offer = { ...ENGINE_TLS, ciphers: `${ciphers}:@SECLEVEL=0` };
    await expect(open(SESSION_IDENTITY, SESSION_KEY, offer)).rejects.toMatchObject({
      code: expect.stringMatching(/ALERT_HANDSHAKE_FAILURE$/),
    });
  });

  it('plain HTTP gets not one byte', async () => {
    const socket = connectTcp(agent.port, '127.0.0.1');
    let received = 0;
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    socket.on('error', () => undefined);
    socket.write('GET /v1/status HTTP/1.1\r\nhost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(received).toBe(0);
  });

  it('every answer carries the boot id, errors too', async () => {
    const socket = await open(SESSION_IDENTITY, SESSION_KEY);
    const answer = await new Promise<{ status: number | undefined; bootId: unknown }>((resolve, reject) => {
      const call = request({ createConnection: () => socket, path: '/nowhere', host: 'engine' }, (response) => {
        response.resume();
        resolve({ status: response.statusCode, bootId: response.headers[BOOT_ID_HEADER] });
      });
      call.once('error', reject);
      call.end();
    });
    expect(answer).toEqual({ status: 404, bootId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  });

  it.each([
    ['{"sessionKey":', 'no JSON'],
    ['', 'no JSON'],
    ['[]', 'body'],
    ['{"sessionKey":"x"}', 'sessionKey'],
  ])('a body of %j is refused', async (text, what) => {
    const message = expect.stringContaining(what);
    expect(await put(text)).toMatchObject({ status: 400, code: 'REQUEST_INVALID', message });
  });

  it('a body that is too long is refused', async () => {
    expect(await put(JSON.stringify({ padding: 'x'.repeat(65 * 1024) }))).toMatchObject({
      status: 400,
      code: 'REQUEST_INVALID',
      message: expect.stringContaining('longer than 65536 bytes'),
    });
  });

  it('idle connections do not keep the connector out: newer ones drive out the oldest', async () => {
    const started = performance.now();
    const idle = Array.from({ length: 200 }, () => connectTcp(agent.port, '127.0.0.1').on('error', () => undefined));
    try {
      await Promise.all(idle.map((socket) => new Promise((resolve) => socket.resume().once('connect', resolve))));
      await expect(agent.client().status(never())).resolves.toBeTruthy();
      await Promise.all(idle.slice(0, 100).map(closed));
      // Not by the time limit for their handshake, which is 10 s.
      expect(performance.now() - started).toBeLessThan(9_000);
    } finally {
      for (const socket of idle) socket.destroy();
    }
  });

  async function closed(socket: Socket): Promise<void> {
    if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  }

  /** Sends a body as it is to a path that takes one. */
  async function put(text: string): Promise<{ status: number | undefined; code: string; message: string }> {
    const socket = await open(SESSION_IDENTITY, SESSION_KEY);
    return await new Promise((resolve, reject) => {
      const options = { createConnection: () => socket, method: 'PUT', path: ENGINE_PATHS.session, host: 'engine' };
      const call = request(options, (response) => {
        let answer = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          answer += chunk;
        });
        response.once('end', () => resolve({ status: response.statusCode, ...JSON.parse(answer) }));
      });
      call.once('error', reject);
      call.end(text);
    });
  }
});
