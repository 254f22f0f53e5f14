/** A connection to the cloud that failed, in the words of the catalogue. */
import { asTrustError } from '../lib/pinned-tls.ts';
import { IpsError, isIpsError } from '../protocol/errors.ts';

export function asCloudError(error: unknown): IpsError {
  if (isIpsError(error)) return error;
  const trust = asTrustError(error);
  switch (trust.code) {
    case 'PIN_MISMATCH':
      return new IpsError('CLOUD_PIN_MISMATCH', trust.message, { cause: error });
    case 'CERTIFICATE_REFUSED':
      return new IpsError('CLOUD_CERTIFICATE_REFUSED', trust.message, { cause: error });
    case 'UNREACHABLE':
      return new IpsError('CLOUD_UNREACHABLE', trust.message, { cause: error });
  }
}
