/**
 * TLS to a peer that is trusted by the hash of its public key, or by a CA. Verification is never switched off.
 *
 * A pinned certificate may be self-signed, and we do not have it when we first meet the peer. So under pins:
 * 1. A first connection is made to look at the certificate and for nothing else: it verifies against no CA of ours,
 *    nothing is ever written to it, and Node tears it down when verification fails.
 * 2. The key of that certificate (SHA-256 of its SubjectPublicKeyInfo, RFC 7469 section 2.4) is compared with the pins.
 * 3. The options for the real connection trust exactly that one certificate, and their `checkServerIdentity` compares
 *    the key with the pins again. Host names do not count then: the key says who it is. Its dates do.
 * Only the peer's own certificate is compared, never one above it: a pinned CA would let any name it ever signed in.
 *
 * A peer that renews its certificate with the same key, or with the next pinned key, fails verification once; then
 * `forget` and look again.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { type ConnectionOptions, connect, getCACertificates, type PeerCertificate } from 'node:tls';
import type { Doors } from './doors.ts';

export const PIN_PATTERN = /^sha256\/[A-Za-z0-9+/]{43}=$/;

export type PeerTrust =
  /** At least one `sha256/BASE64`: the peer's key is one of them. */
  | { kind: 'pins'; pins: readonly string[] }
  /** PEM certificates of the CA that signed the peer's; undefined: those that come with Node and the system. */
  | { kind: 'ca'; ca?: string | undefined };

/** `PIN_MISMATCH`: another key. `CERTIFICATE_REFUSED`: not trusted, wrong name or expired. `UNREACHABLE`: no TLS peer. */
export type PeerTrustCode = 'PIN_MISMATCH' | 'CERTIFICATE_REFUSED' | 'UNREACHABLE';

export class PeerTrustError extends Error {
  readonly code: PeerTrustCode;

  constructor(code: PeerTrustCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'PeerTrustError';
    this.code = code;
  }
}

/** What `tls.connect`, `https.request`, `ws` and undici's `connect` take. */
export type PeerTlsOptions = Pick<
  ConnectionOptions,
  'ca' | 'allowPartialTrustChain' | 'checkServerIdentity' | 'minVersion'
>;

/** The pin of a certificate: `sha256/` and the base64 of the SHA-256 of its public key's DER. */
export function pinOf(certificate: X509Certificate): string {
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return `sha256/${createHash('sha256').update(spki).digest('base64')}`;
}

export class PinnedTls {
  readonly #host: string;
  readonly #port: number;
  readonly #trust: PeerTrust;
  readonly #doors: Doors;
  #looked: { certificate: string; pin: string } | undefined;

  /** @param peer.url `https:` or `wss:`; path and query do not matter */
  constructor(peer: { url: URL; trust: PeerTrust }, doors: Doors) {
    this.#host = peer.url.hostname.replace(/^\[|\]$/g, '');
    this.#port = peer.url.port === '' ? 443 : Number(peer.url.port);
    this.#trust = peer.trust;
    this.#doors = doors;
  }

  /**
   * Options for the real connection. Under pins the first call looks at the peer; later ones remember.
   * @param signal bounds the look
   * @throws PeerTrustError; the signal's reason when it aborts
   */
  async options(signal: AbortSignal): Promise<PeerTlsOptions> {
    const trust = this.#trust;
    if (trust.kind === 'ca') return { minVersion: 'TLSv1.2', ca: trust.ca ?? wellKnownCas() };
    this.#looked ??= await this.#lookForPinned(trust.pins, signal);
    return {
      minVersion: 'TLSv1.2',
      ca: this.#looked.certificate,
      // The certificate is its own anchor, also when some CA signed it.
      allowPartialTrustChain: true,
      checkServerIdentity: (_name, certificate) => refusePeer(trust.pins, certificate),
    };
  }

  /** The pin of the key that the peer showed, the only one that a connection is made to; undefined under CA trust. */
  get shownPin(): string | undefined {
    return this.#looked?.pin;
  }

  /** After a failed connection: the next `options` looks at the peer anew. */
  forget(): void {
    this.#looked = undefined;
  }

  async #lookForPinned(pins: readonly string[], signal: AbortSignal): Promise<{ certificate: string; pin: string }> {
    const certificate = await this.#doors.pass('send', 'tls.look', () => lookAt(this.#host, this.#port, signal));
    const pin = pinOf(certificate);
    if (!pins.includes(pin)) throw mismatch(pin);
    return { certificate: certificate.toString(), pin };
  }
}

/** Node's own list is all that it looks at unasked, and a company's CA is in the system's. */
function wellKnownCas(): string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
}

function refusePeer(pins: readonly string[], certificate: PeerCertificate): Error | undefined {
  const shown = pinOf(new X509Certificate(certificate.raw));
  return pins.includes(shown) ? undefined : mismatch(shown);
}

function mismatch(shown: string): PeerTrustError {
  return new PeerTrustError('PIN_MISMATCH', `The key shown has the pin ${shown}.`);
}

/** The peer's certificate, taken between the end of the handshake and its verification, which nothing can pass. */
function lookAt(host: string, port: number, signal: AbortSignal): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    // No CA at all: verification fails for every peer, and Node destroys the socket.
    const socket = connect({ host, port, ca: [], minVersion: 'TLSv1.2', ...(isIP(host) ? {} : { servername: host }) });
    const aborted = () => socket.destroy(signal.reason);
    signal.addEventListener('abort', aborted, { once: true });
    let seen: X509Certificate | undefined;
    let failure: Error | undefined;
    // 'secure' comes when the handshake is done and just before Node's own listener verifies: the only moment at which
    // the certificate of a peer that is about to be refused can be read.
    socket.prependListener('secure', () => {
      seen = socket.getPeerX509Certificate();
    });
    socket.on('secureConnect', () => socket.destroy(new Error('a peer was verified by no CA')));
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => {
      signal.removeEventListener('abort', aborted);
      if (signal.aborted) reject(signal.reason);
      else if (seen) resolve(seen);
      else reject(asTrustError(failure ?? new Error('the connection was closed')));
    });
  });
}

/**
 * What a failed connection says about the peer. Everything that OpenSSL or Node say of a certificate
 * (`X509_V_ERR_*` by name, `ERR_TLS_CERT_*`) is `CERTIFICATE_REFUSED`; all else is `UNREACHABLE`.
 */
export function asTrustError(error: unknown): PeerTrustError {
  if (error instanceof PeerTrustError) return error;
  const { message, code, cause } = fieldsOf(error);
  if (cause instanceof PeerTrustError) return cause;
  return CERTIFICATE_CODE.test(code)
    ? new PeerTrustError('CERTIFICATE_REFUSED', `${withoutAdvice(message)} (${code})`, { cause: error })
    : new PeerTrustError('UNREACHABLE', message || code, { cause: error });
}

/** Node tells its user to start Node in another way. */
function withoutAdvice(message: string): string {
  return message.replace(/; if the root CA is installed locally.*/s, '');
}

/** Without `instanceof Error`: Node's own errors are of another realm where the caller runs in a `node:vm` context. */
function fieldsOf(error: unknown): { message: string; code: string; cause: unknown } {
  if (typeof error !== 'object' || error === null) return { message: String(error), code: '', cause: undefined };
  return {
    message: 'message' in error ? String(error.message) : '',
    code: 'code' in error ? String(error.code) : '',
    cause: 'cause' in error ? error.cause : undefined,
  };
}

/** `x509_verify_cert(3)`, as Node names them, and Node's own. */
const CERTIFICATE_CODE =
  /CERT|ISSUER|^CRL_|^UNABLE_TO_|^INVALID_CA$|^INVALID_PURPOSE$|^PATH_LENGTH_EXCEEDED$|^HOSTNAME_MISMATCH$/;
