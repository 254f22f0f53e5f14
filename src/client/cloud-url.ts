/** Addresses of cloud services as people type them. */
import { IpsError } from '../protocol/errors.ts';

/** The text is not repeated in the error: a password may stand in it. @throws IpsError USAGE */
export function parseCloudUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // All that is there but scheme, host and port: a user, a path, a query, a fragment.
  if (url?.protocol === 'https:' && url.href === `${url.origin}/`) return url;
  throw new IpsError('USAGE', 'The address must be https://host[:port] and no more.');
}
