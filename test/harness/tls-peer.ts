/** A TLS server for tests that counts what reaches it, and can change its certificate while it runs. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type SecureVersion, type TLSSocket } from 'node:tls';
import type { TestCertificate } from './certificates.ts';

export interface TlsPeer {
  port: number;
  /** Application bytes received over all connections. */
  received(): number;
  /** Connections that reached TCP. */
  connections(): number;
  use(certificate: TestCertificate): void;
  close(): Promise<void>;
}

/** @param options.onConnection called with the number of each TCP connection, from 1, before its handshake */
export async function startTlsPeer(
  certificate: TestCertificate,
  options: { maxVersion?: SecureVersion; onConnection?: (n: number, peer: TlsPeer) => void } = {},
): Promise<TlsPeer> {
  let received = 0;
  let connections = 0;
  const sockets = new Set<TLSSocket>();
  const server = createServer({ ...certificate, maxVersion: options.maxVersion ?? 'TLSv1.3' }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (data) => {
      received += data.length;
      socket.write(data);
    });
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const peer: TlsPeer = {
    port: (server.address() as AddressInfo).port,
    received: () => received,
    connections: () => connections,
    use: (next) => server.setSecureContext({ key: next.key, cert: next.cert }),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  server.prependListener('connection', () => {
    connections += 1;
    options.onConnection?.(connections, peer);
  });
  return peer;
}
