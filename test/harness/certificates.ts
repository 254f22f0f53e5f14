/** Certificates for TLS peers in tests: self-signed, renewed with the same key, or signed by a CA. */
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { generate } from 'selfsigned';
import { pinOf } from '../../src/lib/pinned-tls.ts';

export interface TestCertificate {
  key: string;
  cert: string;
  /** `sha256/…` of its public key. */
  pin: string;
}

/** @param options.like renews with this one's key; @param options.name the one DNS name it is for */
export async function makeCertificate(
  options: { name?: string; like?: TestCertificate; ca?: TestCertificate; isCa?: boolean; notAfter?: Date } = {},
): Promise<TestCertificate> {
  const name = options.name ?? 'ips-cloud';
  const pair = options.like ? pairOf(options.like.key) : newPair();
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    keyPair: pair,
    ...(options.ca ? { ca: options.ca } : {}),
    ...(options.notAfter ? { notBeforeDate: new Date(0), notAfterDate: options.notAfter } : {}),
    extensions: [
      { name: 'basicConstraints', cA: options.isCa ?? false },
      { name: 'subjectAltName', altNames: [{ type: 2, value: name }] },
    ],
  });
  return { key: made.private, cert: `${made.cert.trim()}\n`, pin: pinOf(new X509Certificate(made.cert)) };
}

function newPair(): { privateKey: string; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

function pairOf(privateKey: string): { privateKey: string; publicKey: string } {
  return { privateKey, publicKey: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString() };
}
