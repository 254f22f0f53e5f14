/** How the share is mounted: arguments and credentials file of mount.cifs(8), and what its failures mean. */
import { join } from 'node:path';
import type { ShareAccess } from '../protocol/engine.ts';
import { type ErrorCode, IpsError } from '../protocol/errors.ts';
import type { MountPurpose } from './target-share.ts';

/** mount.cifs takes longer ones, the kernel's client does not (fs/smb/client/cifsglob.h, CIFS_MAX_PASSWORD_LEN). */
const MAX_PASSWORD_BYTES = 512;

const CODES: Readonly<Record<number, ErrorCode>> = {
  1: 'SMB_ACCESS_DENIED',
  2: 'SMB_FOLDER_NOT_FOUND',
  6: 'SMB_SHARE_NOT_FOUND',
  13: 'SMB_ACCESS_DENIED',
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

/**
 * @param credentials path of the credentials file
 * @throws IpsError SMB_FAILED for a name that mount.cifs would read as more than a name
 */
export function mountArguments(
  access: ShareAccess,
  purpose: MountPurpose,
  mountPoint: string,
  credentials: string,
): string[] {
  // mount.cifs puts the names into the kernel's list of options, in which a comma begins the next one.
  const place = `//${join(access.host, access.share, access.folder)}`;
  if (place.includes(',')) throw new IpsError('SMB_FAILED', 'Share and folder names with a comma cannot be mounted.');
  const options = [
    `credentials=${credentials}`,
    `port=${access.port}`,
    ...['vers=3.1.1', 'seal', 'nosharesock'],
    // A dead server gives an error after about a minute, instead of waiting for ever.
    ...['soft', 'echo_interval=15'],
    // Who may do what is the server's business.
    ...['noperm', 'file_mode=0600', 'dir_mode=0700'],
    // No links and no referrals: what the path says is where the file goes.
    ...['nodfs', 'nosuid', 'nodev', 'noexec'],
    // Verification must not read what this machine remembers. Writing past the cache overlaps sending with hashing,
    // has nothing left to send when the copy ends or is given up, and hears of a full share at once.
    ...[purpose === 'write' ? 'rw' : 'ro', 'cache=none'],
    ...['wsize=4194304', 'rsize=4194304'],
  ];
  return [place, mountPoint, '-o', options.join(',')];
}

/** @throws IpsError SMB_LOGON_FAILED for what the file cannot carry */
export function credentialsFile({ username, password, domain }: ShareAccess): string {
  const lines = [`username=${username}`, `password=${password}`, ...(domain === undefined ? [] : [`domain=${domain}`])];
  if (lines.some((line) => /[\r\n\0]/.test(line)) || Buffer.byteLength(password) > MAX_PASSWORD_BYTES) {
    throw new IpsError('SMB_LOGON_FAILED', 'The user name or password holds a line break or is too long.');
  }
  return `${lines.join('\n')}\n`;
}

/** @param stderr of mount.cifs, which names the errno: `mount error(13): Permission denied` */
export function mountError(stderr: string): IpsError {
  const [, errno, text] = /mount error\((\d+)\):? ?(.*)/.exec(stderr) ?? [];
  if (errno === undefined) return new IpsError('SMB_FAILED', stderr.split('\n')[0]);
  return new IpsError(CODES[Number(errno)] ?? 'SMB_FAILED', `Mounting it failed: ${text} (${errno}).`);
}
