/**
 * The socket under the link: a WebSocket (RFC 6455) to the cloud over verified TLS, subprotocol `ips.link.v1`, text
 * frames only, no compression. It knows nothing of what is said over it.
 */
import WebSocket, { type ClientOptions } from 'ws';
import { asCloudError } from '../client/cloud-error.ts';
import { LINK_MAX_FRAME_BYTES, LINK_PATH, LINK_SUBPROTOCOL } from '../protocol/link.ts';
import type { CloudTls } from './cloud-tls.ts';

/** RFC 6455 section 7.4.1: unacceptable data. */
const CLOSE_UNACCEPTABLE = 1003;

export interface LinkSocket {
  send(text: string): void;
  ping(): void;
  /** Drops it at once. */
  terminate(): void;
}

export interface LinkListener {
  onText(text: string): void;
  /** Anything at all was heard, pongs included. */
  onHeard(): void;
  /** Called once, last. */
  onClose(reason: string): void;
}

/**
 * @param signal bounds the dialling, and drops the connection when it aborts later
 * @throws IpsError CLOUD_…; the signal's reason
 */
export type DialLink = (listener: LinkListener, signal: AbortSignal) => Promise<LinkSocket>;

export function linkDialer(cloudUrl: URL, tls: CloudTls): DialLink {
  const url = new URL(LINK_PATH, cloudUrl);
  url.protocol = 'wss:';
  return async (listener, signal) => {
    const { checkServerIdentity, ...trust } = await tls.options(signal);
    const options: ClientOptions = { ...trust, perMessageDeflate: false, maxPayload: LINK_MAX_FRAME_BYTES };
    // The types of ws give it another result than tls.connect, which is who calls it.
    if (checkServerIdentity) Object.assign(options, { checkServerIdentity });
    try {
      return await open(new WebSocket(url, LINK_SUBPROTOCOL, options), listener, signal);
    } catch (error) {
      tls.forget();
      signal.throwIfAborted();
      throw asCloudError(error);
    }
  };
}

function open(socket: WebSocket, listener: LinkListener, signal: AbortSignal): Promise<LinkSocket> {
  return new Promise((resolve, reject) => {
    const aborted = () => socket.terminate();
    signal.addEventListener('abort', aborted, { once: true });
    let failure: unknown;
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('message', (data, isBinary) => {
      listener.onHeard();
      if (isBinary) socket.close(CLOSE_UNACCEPTABLE, 'text frames only');
      else listener.onText(data.toString());
    });
    socket.on('ping', () => listener.onHeard());
    socket.on('pong', () => listener.onHeard());
    socket.once('open', () => {
      resolve({
        send: (text) => socket.send(text),
        ping: () => socket.ping(),
        terminate: () => socket.terminate(),
      });
    });
    socket.once('close', (code, reason) => {
      signal.removeEventListener('abort', aborted);
      const message = failure === undefined ? `closed with ${code} ${reason}`.trim() : String(failure);
      reject(failure ?? new Error(message));
      listener.onClose(message);
    });
  });
}
