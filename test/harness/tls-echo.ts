/** A client for `tls-peer.ts`: connects with `PinnedTls` options and sends one line, as a real client would. */
import { connect } from 'node:tls';
import { Doors } from '../../src/lib/doors.ts';
import { asTrustError, type PeerTrust, PinnedTls } from '../../src/lib/pinned-tls.ts';

export function pinnedTo(port: number, trust: PeerTrust, host = '127.0.0.1'): PinnedTls {
  return new PinnedTls({ url: new URL(`https://${host}:${port}/`), trust }, new Doors());
}

/** @returns what the peer echoed. @throws PeerTrustError */
export async function echo(tls: PinnedTls, port: number, host = '127.0.0.1'): Promise<string> {
  const options = await tls.options(AbortSignal.timeout(30_000));
  return await new Promise((resolve, reject) => {
    const socket = connect({ ...options, host, port }, () => {
      socket.write('hello');
    });
    socket.on('data', (data) => {
      resolve(data.toString());
      socket.destroy();
    });
    socket.on('error', (error) => reject(asTrustError(error)));
    socket.on('close', () => reject(new Error('closed without an answer')));
  });
}
