/** Whom a command line says to trust as the cloud service. */
import { readFileSync } from 'node:fs';
import { PIN_PATTERN } from '../lib/pinned-tls.ts';
import { IpsError } from '../protocol/errors.ts';

/** Values of `--pin` and `--ca`. */
export interface TrustFlags {
  pin?: string[];
  /** A file. */
  ca?: string;
}

/** @throws IpsError USAGE when they do not go together, a pin is none, or the file holds no certificate */
export function trustOf({ pin = [], ca }: TrustFlags): { kind: 'pins'; pins: string[] } | { kind: 'ca'; ca?: string } {
  if (pin.length > 0 && ca !== undefined) throw new IpsError('USAGE', 'Give --pin or --ca, not both.');
  const wrong = pin.find((each) => !PIN_PATTERN.test(each));
  if (wrong !== undefined) throw new IpsError('USAGE', `"${wrong}" is no pin like sha256/BASE64=.`);
  if (pin.length > 0) return { kind: 'pins', pins: pin };
  return ca === undefined ? { kind: 'ca' } : { kind: 'ca', ca: readCa(ca) };
}

function readCa(path: string): string {
  try {
    const pem = readFileSync(path, 'utf8');
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new IpsError('USAGE', `${path} cannot be read: ${reason}.`, { cause: error });
  }
  throw new IpsError('USAGE', `${path} holds no PEM certificate.`);
}
