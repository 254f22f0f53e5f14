/**
 * One TLS connection to an engine, proven before a byte of ours is sent: TLS 1.2 exactly, ECDHE-PSK-CHACHA20-POLY1305
 * exactly (RFC 7905), the peer holds the pre-shared key (RFC 4279), and it showed no certificate.
 *
 * The pre-shared key authenticates the peer: Node takes a certificate-less handshake as verified only when the cipher
 * says that a key did it, and a peer with another key cannot finish the handshake (RFC 5246 section 7.4.9).
 */
import { connect, type TLSSocket } from 'node:tls';
import { ENGINE_TLS } from '../protocol/engine.ts';

export interface EngineAddress {
  host: string;
  port: number;
}

export interface PresharedKey {
  identity: string;
  key: Buffer;
}

/** Nobody answered as an engine would: refused, reset, closed or silent. It may not be there yet, or no more. */
export class EngineSilence extends Error {
  override readonly name = 'EngineSilence';
}

/** Something answered, and it does not have the key: it was sent no byte of ours beyond the handshake. */
export class EngineStranger extends Error {
  override readonly name = 'EngineStranger';
}

/**
 * Connects and proves the peer.
 * @throws EngineSilence, EngineStranger, or the signal's reason
 */
export function connectEngine(address: EngineAddress, key: PresharedKey, signal: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const socket = connect({
      host: address.host,
      port: address.port,
      ...ENGINE_TLS,
      pskCallback: () => ({ identity: key.identity, psk: key.key }),
      // There is no name to check: the key says who it is. A certificate has no business here.
      checkServerIdentity: (_host, certificate) =>
        Object.keys(certificate ?? {}).length === 0 ? undefined : new Error('the peer showed a certificate'),
    });
    const aborted = () => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', aborted, { once: true });
    socket.once('error', (error) => {
      signal.removeEventListener('abort', aborted);
      reject(judge(error));
    });
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', aborted);
      const complaint = unproven(socket);
      if (complaint === undefined) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(new EngineStranger(complaint));
    });
  });
}

function unproven(socket: TLSSocket): string | undefined {
  const protocol = socket.getProtocol();
  const cipher = socket.getCipher().name;
  if (protocol !== ENGINE_TLS.minVersion) return `the peer speaks ${protocol}`;
  if (cipher !== ENGINE_TLS.ciphers) return `the peer chose ${cipher}`;
  if (!socket.authorized) return 'the peer is not verified';
  return undefined;
}

/**
 * A TLS alert, another protocol or a certificate come from somebody who is there. A connection that is refused, reset
 * or closed without any TLS answer is nobody: a port forwarder in front of a guest that still boots does that.
 */
function judge(error: Error): Error {
  const code = 'code' in error ? String(error.code) : '';
  const text = `${code} ${error.message}`.trim();
  if (/^(ERR_SSL|ERR_TLS|EPROTO|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|CERT_)/.test(code)) return new EngineStranger(text);
  return new EngineSilence(text);
}
