/** The cloud's side of the sockets, on a clock that the test moves: silence, dawdling, and what is no link at all. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { Hub } from '../../../src/cloud/connectors/hub.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { LINK_PATH, LINK_SUBPROTOCOL } from '../../../src/protocol/link.ts';
import { Bench } from '../../unit/cloud/bench.ts';
import { FakeConnector } from '../../unit/cloud/fake-connector.ts';

describe('a socket of the cloud', () => {
  let bench: Bench;
  let hub: Hub;
  let server: Server;

  beforeEach(async () => {
    bench = await Bench.start();
    hub = new Hub(bench.desk, bench.clock, new Doors());
    server = createServer().on('upgrade', (request, socket, head) => hub.upgrade(request, socket, head));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    hub.start();
  });
  afterEach(async () => {
    await hub.stop();
    server.closeAllConnections();
    server.close();
    await bench.stop();
  });

  const dial = (path = LINK_PATH, protocol = [LINK_SUBPROTOCOL], options = {}) =>
    new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, protocol, options);
  const open = async (options = {}) => {
    const socket = dial(LINK_PATH, [LINK_SUBPROTOCOL], options);
    await once(socket, 'open');
    return socket;
  };

  /** A connector that has proved who it is. */
  async function connected(options = {}): Promise<WebSocket> {
    const { admin } = await bench.site();
    const { keys, paired, generation } = await FakeConnector.pair(bench, admin, 'one');
    const socket = await open(options);
    const said = { connectorId: paired.connectorId, instanceId: 'i', generation };
    socket.send(JSON.stringify({ type: 'hello', ...said, version: '1', platforms: [], slots: 0, jobs: [] }));
    const [challenge] = await once(socket, 'message');
    const { nonce } = JSON.parse(String(challenge));
    const signature = keys.proof(nonce, paired.connectorId, 'i', generation);
    socket.send(JSON.stringify({ type: 'proof', signature }));
    await once(socket, 'message');
    return socket;
  }

  it('is pinged, and dropped within 45 s when nothing comes back', async () => {
    const socket = await connected({ autoPong: false });
    const closed = once(socket, 'close');
    let pings = 0;
    socket.on('ping', () => {
      pings += 1;
    });
    for (let seconds = 0; seconds < 45; seconds += 5) {
      expect(socket.readyState).toBe(WebSocket.OPEN);
      const ping = seconds % 15 === 10 && seconds < 35 ? once(socket, 'ping') : undefined;
      bench.clock.advance(5_000);
      await ping;
    }
    await closed;
    expect(pings).toBe(2);
  });

  it('stays as long as it answers', async () => {
    const socket = await connected();
    for (let round = 0; round < 10; round += 1) {
      const ping = once(socket, 'ping');
      bench.clock.advance(15_000);
      await ping;
      // The answer needs a moment to come back: the next frame in the same direction comes behind it.
      socket.ping();
      await once(socket, 'pong');
    }
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.terminate();
  });

  it('is closed when it does not prove within 10 s who it is', async () => {
    const socket = await open();
    const closed = once(socket, 'close');
    bench.clock.advance(10_000);
    expect((await closed)[0]).toBe(4003);
  });

  it('is refused under another path, and without the subprotocol', async () => {
    for (const [path, protocol, status] of [
      ['/v1/other', [LINK_SUBPROTOCOL], 404],
      [LINK_PATH, [], 400],
      [LINK_PATH, ['ips.link.v9'], 400],
    ] as const) {
      const socket = dial(path, [...protocol]);
      const [, response] = await once(socket, 'unexpected-response');
      expect([path, response.statusCode]).toEqual([path, status]);
      socket.on('error', () => undefined);
      socket.terminate();
    }
  });
});
