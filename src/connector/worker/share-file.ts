/** The temporary file on the share, as the connector itself can look for it and remove it. */

import { IpsError } from '../../protocol/errors.ts';
import { SMB_PORT, type SmbLocation } from '../../protocol/smb-location.ts';
import type { Attempt } from './attempt.ts';
import type { ShareFolder } from './environment.ts';
import { limited, SHARE_CALL_MS } from './limits.ts';

/** A command that removes a file on a share by hand; smbclient asks for the password. */
export function removeByHand(location: SmbLocation, username: string, name: string): string {
  const { host, port, share, folder } = location;
  const portOption = port === SMB_PORT ? '' : ` -p ${port}`;
  const path = folder === '' ? name : `${folder.replaceAll('/', '\\')}\\${name}`;
  return `smbclient ${quoted(`//${host}/${share}`)}${portOption} -U ${quoted(username)} -c ${quoted(`del "${path}"`)}`;
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Runs `call` on the job's share, within the limit of a check. */
export async function onShare<T>(
  attempt: Attempt,
  signal: AbortSignal | undefined,
  call: (share: ShareFolder, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = () => new IpsError('SMB_UNREACHABLE', `There was no answer in ${SHARE_CALL_MS / 1000} s.`);
  return await limited(attempt.environment.clock, SHARE_CALL_MS, late, signal, async (inTime) => {
    const credential = await attempt.desk.credential('teardown', inTime);
    return await call(attempt.environment.openShare(credential.access()), inTime);
  });
}
