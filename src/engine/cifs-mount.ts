/** How the share is mounted: arguments and credentials file of mount.cifs(8), and what its failures mean. */
import type { ShareAccess } from '../protocol/engine.ts';
import { type ErrorCode, IpsError } from '../protocol/errors.ts';
import { uncHost } from '../protocol/smb-location.ts';
import { checkLogon } from '../share/logon.ts';
import type { MountPurpose } from './target-share.ts';

/** By errno, of what smbclient finds nothing wrong with. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  1: 'SMB_ACCESS_DENIED',
  2: 'SMB_FOLDER_NOT_FOUND',
  6: 'SMB_SHARE_NOT_FOUND',
  13: 'SMB_LOGON_FAILED',
  20: 'SMB_FOLDER_NOT_FOUND',
  95: 'SMB_PROTOCOL_REFUSED',
  101: 'SMB_UNREACHABLE',
  104: 'SMB_UNREACHABLE',
  110: 'SMB_UNREACHABLE',
  111: 'SMB_UNREACHABLE',
  112: 'SMB_UNREACHABLE',
  113: 'SMB_UNREACHABLE',
  115: 'SMB_UNREACHABLE',
};

/** smbclient did log on: what differs is how the two of them name an account without a domain. */
const LOGON_HINT =
  'Give the domain of the user ("ips credential set --domain") if there is one, and look at the log of the file server.';

/**
 * @param credentials path of the credentials file
 * @throws IpsError SMB_FAILED for a name that mount.cifs would read as more than a name
 */
export function mountArguments(
  { host, port, share, folder }: ShareAccess,
  purpose: MountPurpose,
  mountPoint: string,
  credentials: string,
): string[] {
  // mount.cifs puts the names into the kernel's list of options, in which a comma begins the next one.
  const place = `//${[uncHost(host), share, folder].filter((part) => part !== '').join('/')}`;
  if (place.includes(',')) throw new IpsError('SMB_FAILED', 'Share and folder names with a comma cannot be mounted.');
  const options = [
    `credentials=${credentials}`,
    `port=${port}`,
    'vers=3.1.1,seal,nosharesock',
    // A dead server gives an error after about a minute, instead of waiting for ever.
    'soft,echo_interval=15',
    // Who may do what is the server's business.
    'noperm,file_mode=0600,dir_mode=0700',
    // No links and no referrals: what the path says is where the file goes.
    'nodfs,nosuid,nodev,noexec',
    // Verification must not read what this machine remembers. Writing past the cache overlaps sending with hashing,
    // has nothing left to send when the copy ends or is given up, and hears of a full share at once.
    purpose === 'write' ? 'rw' : 'ro',
    'cache=none',
    'wsize=4194304,rsize=4194304',
  ];
  return [place, mountPoint, '-o', options.join(',')];
}

/** @throws IpsError SMB_LOGON_FAILED for names that would be options of the mount, or what the file cannot carry */
export function credentialsFile(access: ShareAccess): string {
  checkLogon(access);
  const { username, password, domain } = access;
  const lines = [`username=${username}`, `password=${password}`];
  if (domain !== undefined) lines.push(`domain=${domain}`);
  return `${lines.join('\n')}\n`;
}

/** @param stderr of mount.cifs, which names the errno: `mount error(13): Permission denied` */
export function mountError(stderr: string): IpsError {
  // Errors of several addresses, and a last word, follow each other without a line break.
  const [, errno, text] = /mount error\((\d+)\): (.*?)(?:mount error\(|Unable to find|$)/m.exec(stderr) ?? [];
  if (errno === undefined) return new IpsError('SMB_FAILED', stderr.split('\n')[0]);
  const code = CODES[Number(errno)] ?? 'SMB_FAILED';
  const hint = code === 'SMB_LOGON_FAILED' ? { hint: LOGON_HINT } : {};
  return new IpsError(code, `Mounting it failed: ${text} (${errno}).`, hint);
}
