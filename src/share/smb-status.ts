/**
 * What smbclient printed, as an error of the catalogue. Its exit code says only that something failed, so the NT status
 * ([MS-ERREF] section 2.3) decides, with the phase that smbclient names before it.
 */
import { type ErrorCode, IpsError } from '../protocol/errors.ts';

const CODES: Readonly<Record<string, ErrorCode>> = {
  LOGON_FAILURE: 'SMB_LOGON_FAILED',
  WRONG_PASSWORD: 'SMB_LOGON_FAILED',
  NO_SUCH_USER: 'SMB_LOGON_FAILED',
  ACCOUNT_DISABLED: 'SMB_LOGON_FAILED',
  ACCOUNT_LOCKED_OUT: 'SMB_LOGON_FAILED',
  ACCOUNT_EXPIRED: 'SMB_LOGON_FAILED',
  ACCOUNT_RESTRICTION: 'SMB_LOGON_FAILED',
  PASSWORD_EXPIRED: 'SMB_LOGON_FAILED',
  PASSWORD_MUST_CHANGE: 'SMB_LOGON_FAILED',
  INVALID_LOGON_HOURS: 'SMB_LOGON_FAILED',
  INVALID_WORKSTATION: 'SMB_LOGON_FAILED',
  LOGON_TYPE_NOT_GRANTED: 'SMB_LOGON_FAILED',
  TRUSTED_RELATIONSHIP_FAILURE: 'SMB_LOGON_FAILED',
  NO_LOGON_SERVERS: 'SMB_LOGON_FAILED',
  BAD_NETWORK_NAME: 'SMB_SHARE_NOT_FOUND',
  BAD_DEVICE_TYPE: 'SMB_SHARE_NOT_FOUND',
  OBJECT_PATH_NOT_FOUND: 'SMB_FOLDER_NOT_FOUND',
  OBJECT_PATH_INVALID: 'SMB_FOLDER_NOT_FOUND',
  OBJECT_PATH_SYNTAX_BAD: 'SMB_FOLDER_NOT_FOUND',
  OBJECT_NAME_NOT_FOUND: 'SMB_FOLDER_NOT_FOUND',
  NOT_A_DIRECTORY: 'SMB_FOLDER_NOT_FOUND',
  ACCESS_DENIED: 'SMB_ACCESS_DENIED',
  NETWORK_ACCESS_DENIED: 'SMB_ACCESS_DENIED',
  MEDIA_WRITE_PROTECTED: 'SMB_ACCESS_DENIED',
  CANNOT_DELETE: 'SMB_ACCESS_DENIED',
  DISK_FULL: 'SHARE_FULL',
  QUOTA_EXCEEDED: 'SHARE_FULL',
  DISK_QUOTA_EXCEEDED: 'SHARE_FULL',
  OBJECT_NAME_COLLISION: 'TARGET_EXISTS',
  OBJECT_NAME_EXISTS: 'TARGET_EXISTS',
  NOT_SUPPORTED: 'SMB_PROTOCOL_REFUSED',
  INVALID_NETWORK_RESPONSE: 'SMB_PROTOCOL_REFUSED',
  CONNECTION_REFUSED: 'SMB_UNREACHABLE',
  CONNECTION_DISCONNECTED: 'SMB_UNREACHABLE',
  CONNECTION_RESET: 'SMB_UNREACHABLE',
  CONNECTION_ABORTED: 'SMB_UNREACHABLE',
  HOST_UNREACHABLE: 'SMB_UNREACHABLE',
  NETWORK_UNREACHABLE: 'SMB_UNREACHABLE',
  BAD_NETWORK_PATH: 'SMB_UNREACHABLE',
  IO_TIMEOUT: 'SMB_UNREACHABLE',
  UNEXPECTED_NETWORK_ERROR: 'SMB_UNREACHABLE',
  NETWORK_NAME_DELETED: 'SMB_UNREACHABLE',
};

/** What tells an administrator more than the code's own sentence. */
const PARTICULARS: Readonly<Record<string, string>> = {
  ACCOUNT_DISABLED: 'The account is disabled.',
  ACCOUNT_LOCKED_OUT: 'The account is locked after too many failed logons.',
  ACCOUNT_EXPIRED: 'The account has expired.',
  ACCOUNT_RESTRICTION: 'A policy restricts the account, for example one against empty passwords.',
  PASSWORD_EXPIRED: 'The password has expired.',
  PASSWORD_MUST_CHANGE: 'The password must be changed before the first logon.',
  INVALID_LOGON_HOURS: 'The account may not log on at this hour.',
  INVALID_WORKSTATION: 'The account may not log on from this machine.',
  LOGON_TYPE_NOT_GRANTED: 'The account may not log on over the network.',
  NO_LOGON_SERVERS: 'The file server reaches no domain controller.',
  TRUSTED_RELATIONSHIP_FAILURE: 'The file server has lost the trust of its domain.',
  QUOTA_EXCEEDED: 'The quota of the user is used up.',
  DISK_QUOTA_EXCEEDED: 'The quota of the user is used up.',
};

/** The first status in the output without its prefix, such as `LOGON_FAILURE`; undefined when there is none. */
export function statusOf(output: string): string | undefined {
  return /NT_STATUS_([A-Z0-9_]+)/.exec(output)?.[1];
}

/** @param output what smbclient printed on both streams */
export function smbError(output: string): IpsError {
  const status = statusOf(output);
  if (status === undefined) {
    return /doesn't support SMB3 encryption/.test(output)
      ? new IpsError('SMB_PROTOCOL_REFUSED')
      : new IpsError('SMB_FAILED', 'smbclient gave no status.');
  }
  const shown = `(NT_STATUS_${status})`;
  // A name that does not resolve has no status of its own.
  if (/do_connect: Connection to .* failed/.test(output)) return new IpsError('SMB_UNREACHABLE', shown);
  const code = CODES[status] ?? (/session setup failed/.test(output) ? 'SMB_LOGON_FAILED' : 'SMB_FAILED');
  const particulars = PARTICULARS[status];
  return new IpsError(code, particulars === undefined ? shown : `${particulars} ${shown}`);
}
