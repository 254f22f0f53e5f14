/** The temporary file on the share, as the connector itself can look for it and remove it. */

import { quoted } from '../../lib/shell.ts';
import { IpsError, isIpsError } from '../../protocol/errors.ts';
import { SMB_PORT, type SmbLocation, uncHost } from '../../protocol/smb-location.ts';
import type { Attempt } from './attempt.ts';
import type { ShareFolder } from './environment.ts';
import { limited, SHARE_CALL_MS } from './limits.ts';

/** A command that removes a file on a share by hand; smbclient asks for the password. */
export function removeByHand(
  { host, port, share, folder }: SmbLocation,
  user: { username: string; domain: string | undefined },
  name: string,
): string {
  const options = [
    ...(port === SMB_PORT ? [] : [`-p ${port}`]),
    ...(user.domain === undefined ? [] : [`-W ${quoted(user.domain)}`]),
    `-U ${quoted(user.username)}`,
  ];
  const path = folder === '' ? name : `${folder.replaceAll('/', '\\')}\\${name}`;
  return `smbclient ${quoted(`//${uncHost(host)}/${share}`)} ${options.join(' ')} -c ${quoted(`del "${path}"`)}`;
}

/**
 * Runs `call` on the job's share, within the limit of a check. The password may have been changed since the job began:
 * one that the server refuses is replaced.
 * @throws IpsError SMB_LOGON_FAILED when that was refused too: to try on would lock the user out
 */
export async function onShare<T>(
  attempt: Attempt,
  call: (share: ShareFolder, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = () => new IpsError('SMB_UNREACHABLE', `There was no answer in ${SHARE_CALL_MS / 1000} s.`);
  return await limited(attempt.environment.clock, SHARE_CALL_MS, late, undefined, async (inTime) => {
    for (;;) {
      const credential = await attempt.desk.credential('teardown', inTime);
      try {
        return await call(attempt.environment.openShare(credential.access()), inTime);
      } catch (error) {
        if (!isLogonRefused(error)) throw error;
        attempt.desk.refused();
      }
    }
  });
}

export function isLogonRefused(error: unknown): boolean {
  return isIpsError(error) && error.code === 'SMB_LOGON_FAILED';
}
