/** What smbclient prints, line for line as Samba 4.17 does, becomes a code of the catalogue. */
import { describe, expect, it } from '@jest/globals';
import { smbError } from '../../../src/share/smb-status.ts';

describe('an answer of smbclient', () => {
  it.each([
    ['session setup failed: NT_STATUS_LOGON_FAILURE', 'SMB_LOGON_FAILED'],
    ['session setup failed: NT_STATUS_ACCOUNT_LOCKED_OUT', 'SMB_LOGON_FAILED'],
    ['session setup failed: NT_STATUS_SOMETHING_ABOUT_IT', 'SMB_LOGON_FAILED'],
    ['tree connect failed: NT_STATUS_BAD_NETWORK_NAME', 'SMB_SHARE_NOT_FOUND'],
    ['tree connect failed: NT_STATUS_ACCESS_DENIED', 'SMB_ACCESS_DENIED'],
    ['NT_STATUS_OBJECT_PATH_NOT_FOUND listing \\nosub\\x\\*', 'SMB_FOLDER_NOT_FOUND'],
    ['NT_STATUS_OBJECT_NAME_NOT_FOUND listing \\nosub\\*', 'SMB_FOLDER_NOT_FOUND'],
    ['NT_STATUS_NOT_A_DIRECTORY listing \\file\\*', 'SMB_FOLDER_NOT_FOUND'],
    ['NT_STATUS_ACCESS_DENIED listing \\closed\\*', 'SMB_ACCESS_DENIED'],
    ['NT_STATUS_OBJECT_NAME_COLLISION renaming files \\a -> \\b', 'TARGET_EXISTS'],
    ['NT_STATUS_DISK_FULL writing', 'SHARE_FULL'],
    ['NT_STATUS_QUOTA_EXCEEDED writing', 'SHARE_FULL'],
    ['protocol negotiation failed: NT_STATUS_NOT_SUPPORTED', 'SMB_PROTOCOL_REFUSED'],
    ["Encryption required and server doesn't support SMB3 encryption - failing connect", 'SMB_PROTOCOL_REFUSED'],
    ['do_connect: Connection to 127.0.0.1 failed (Error NT_STATUS_CONNECTION_REFUSED)', 'SMB_UNREACHABLE'],
    ['do_connect: Connection to nosuch.invalid failed (Error NT_STATUS_UNSUCCESSFUL)', 'SMB_UNREACHABLE'],
    ['protocol negotiation failed: NT_STATUS_IO_TIMEOUT', 'SMB_UNREACHABLE'],
    ['NT_STATUS_INSUFFICIENT_RESOURCES listing \\*', 'SMB_FAILED'],
    ['', 'SMB_FAILED'],
  ])('%s', (output, code) => {
    expect(smbError(output).code).toBe(code);
  });

  it('tells in words what is wrong with an account, and the status always', () => {
    const { message } = smbError('session setup failed: NT_STATUS_ACCOUNT_DISABLED');
    expect(message).toContain('disabled');
    expect(message).toContain('NT_STATUS_ACCOUNT_DISABLED');
    expect(smbError('NT_STATUS_INSUFFICIENT_RESOURCES listing').message).toContain('NT_STATUS_INSUFFICIENT_RESOURCES');
  });

  it('is judged by its first status, not by a file that is called like one', () => {
    const output = 'NT_STATUS_OBJECT_NAME_COLLISION renaming files \\NT_STATUS_LOGON_FAILURE -> \\NT_STATUS_DISK_FULL';
    expect(smbError(output).code).toBe('TARGET_EXISTS');
  });
});
