/** Where things lie in the data folder, and the keys among them. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import type { Files } from '../lib/files.ts';
import { pinOf } from '../lib/pinned-tls.ts';
import type { RandomSource } from '../lib/random.ts';
import { IpsError } from '../protocol/errors.ts';
import type { CloudConfig } from './config.ts';
import type { TlsIdentity } from './http/server.ts';
import { readOrCreatePrivate, readPrivate } from './private-file.ts';

const WALLET_KEY_BYTES = 32;
const ONE_DAY_MS = 86_400_000;
const TEN_YEARS_MS = 3_650 * ONE_DAY_MS;

export interface DataPaths {
  folder: string;
  database: string;
  lock: string;
  walletKey: string;
  /** Key and certificate that were made here, in one file so that they can never part. */
  ownTls: string;
}

export function dataPaths(config: CloudConfig): DataPaths {
  const folder = config.dataFolder;
  return {
    folder,
    database: join(folder, 'cloud.sqlite'),
    lock: join(folder, 'lock.sqlite'),
    walletKey: config.walletKeyFile || join(folder, 'wallet.key'),
    ownTls: join(folder, 'tls.pem'),
  };
}

/**
 * The wallet key, 32 bytes.
 * @param mayMake whether one is made when there is none: not where secrets wait for the one they were locked with
 * @throws IpsError FILE_NOT_PRIVATE, CONFIG_INVALID
 */
export async function loadWalletKey(
  files: Files,
  path: string,
  random: RandomSource,
  mayMake: boolean,
): Promise<Buffer> {
  const create = () => {
    if (mayMake) return `${random.bytes(WALLET_KEY_BYTES).toString('base64')}\n`;
    throw new IpsError('CONFIG_INVALID', `The wallet key ${path} is missing, and credentials are locked with it.`, {
      hint: 'Put it back from a backup, or correct "walletKeyFile". If it is lost for good, make a new one (docs/operations.md).',
    });
  };
  const key = Buffer.from((await readOrCreatePrivate(files, path, create)).trim(), 'base64');
  if (key.length !== WALLET_KEY_BYTES)
    throw new IpsError('CONFIG_INVALID', `${path} does not hold ${WALLET_KEY_BYTES} bytes in base64.`);
  return key;
}

/**
 * The certificate and key that are configured, or self-signed ones of our own, made when there are none.
 * @returns them with the pin of the key: SHA-256 of its SubjectPublicKeyInfo (RFC 7469, section 2.4)
 * @throws IpsError FILE_NOT_PRIVATE, CONFIG_INVALID
 */
export async function loadTls(
  files: Files,
  config: CloudConfig,
  now: Date,
): Promise<{ identity: TlsIdentity; pin: string }> {
  const identity = config.tls.certificateFile === '' ? await ownTls(files, config, now) : await givenTls(config);
  const certificate = readCertificate(identity.cert);
  if (!certificate.checkPrivateKey(readKey(identity.key)))
    throw new IpsError('CONFIG_INVALID', '"tls": the private key belongs to another certificate.');
  return { identity, pin: pinOf(certificate) };
}

async function ownTls(files: Files, config: CloudConfig, now: Date): Promise<TlsIdentity> {
  const text = await readOrCreatePrivate(files, dataPaths(config).ownTls, async () => {
    const name = hostname();
    const made = await generate([{ name: 'commonName', value: 'ips-cloud' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      // An appliance whose clock is behind ours must be able to pair.
      notBeforeDate: new Date(now.getTime() - ONE_DAY_MS),
      notAfterDate: new Date(now.getTime() + TEN_YEARS_MS),
      extensions: [
        { name: 'basicConstraints', cA: false, critical: true },
        { name: 'keyUsage', digitalSignature: true, critical: true },
        { name: 'extKeyUsage', serverAuth: true },
        {
          name: 'subjectAltName',
          altNames: [
            { type: 2, value: name },
            { type: 2, value: 'localhost' },
            { type: 7, ip: '127.0.0.1' },
          ],
        },
      ],
    });
    return `${made.private.trim()}\n${made.cert.trim()}\n`;
  });
  const begin = text.indexOf('-----BEGIN CERTIFICATE-----');
  return { key: text.slice(0, begin), cert: text.slice(begin) };
}

async function givenTls({ tls }: CloudConfig): Promise<TlsIdentity> {
  const key = await readPrivate(tls.keyFile);
  if (key === undefined) throw new IpsError('CONFIG_INVALID', `${tls.keyFile} is not there.`);
  try {
    return { key, cert: await readFile(tls.certificateFile, 'utf8') };
  } catch (error) {
    throw new IpsError('CONFIG_INVALID', `${tls.certificateFile} cannot be read.`, { cause: error });
  }
}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new IpsError('CONFIG_INVALID', 'The certificate is not one.', { cause: error });
  }
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new IpsError('CONFIG_INVALID', 'The private key of the certificate is not one.', { cause: error });
  }
}
