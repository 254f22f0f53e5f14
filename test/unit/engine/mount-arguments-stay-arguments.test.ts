/** Names and secrets cannot add options to a mount, and the password is in none of the arguments. */
import { describe, expect, it } from '@jest/globals';
import { credentialsFile, mountArguments, mountError } from '../../../src/engine/cifs-mount.ts';

const access = {
  host: 'files.example',
  port: 1445,
  share: 'our share',
  folder: 'sub dir/ü',
  username: 'exporter',
  password: ' p,a ss=w%"',
  domain: 'LAB',
};

describe('a mount', () => {
  it('asks for SMB 3.1.1 with encryption, in a session of its own', () => {
    const [place, folder, , options = ''] = mountArguments(access, 'write', '/mnt', '/run/credentials');
    expect([place, folder]).toEqual(['//files.example/our share/sub dir/ü', '/mnt']);
    expect(options.split(',')).toEqual(
      expect.arrayContaining(['vers=3.1.1', 'seal', 'nosharesock', 'port=1445', 'rw', 'credentials=/run/credentials']),
    );
    expect(options).not.toContain(access.password);
  });

  it('reads without cache, and only reads, for verification', () => {
    const options = mountArguments(access, 'verify', '/mnt', '/c')[3]?.split(',') ?? [];
    expect(options).toEqual(expect.arrayContaining(['ro', 'cache=none', 'nosharesock', 'seal']));
    expect(options).not.toContain('rw');
  });

  it.each([{ host: 'h,uid=0' }, { share: 'a,vers=2.0' }, { folder: 'b/c,nolease' }])('refuses %o', (hostile) => {
    expect(() => mountArguments({ ...access, ...hostile }, 'write', '/mnt', '/c')).toThrow(
      expect.objectContaining({ code: 'SMB_FAILED' }),
    );
  });

  it('takes an IPv6 address without its brackets, which it would not resolve', () => {
    expect(mountArguments({ ...access, host: '[fe80::1]' }, 'write', '/mnt', '/c')[0]).toBe(
      '//fe80::1/our share/sub dir/ü',
    );
  });

  it('takes the share itself, without a folder', () => {
    expect(mountArguments({ ...access, folder: '' }, 'write', '/mnt', '/c')[0]).toBe('//files.example/our share');
  });

  it('takes user, password and domain from a file, as they are', () => {
    expect(credentialsFile(access)).toBe('username=exporter\npassword= p,a ss=w%"\ndomain=LAB\n');
    expect(credentialsFile({ ...access, domain: undefined })).toBe('username=exporter\npassword= p,a ss=w%"\n');
    const principal = { ...access, username: 'exporter@lab.example', domain: undefined };
    expect(credentialsFile(principal)).toBe('username=exporter@lab.example\npassword= p,a ss=w%"\n');
  });

  // mount.cifs writes user and domain into the kernel's list of options as they are.
  it.each([
    { domain: 'LAB,ip=10.6.6.6' },
    { domain: 'LAB,sloppy' },
    { username: 'exporter,ip=10.6.6.6' },
    { username: 'exporter,sloppy' },
    { username: 'LAB\\exporter' },
    { username: 'LAB/exporter' },
    { username: 'exporter%other' },
    { username: 'exporter@lab.example', domain: 'LAB' },
    { password: 'x\ndomain=evil' },
    { username: 'x\r' },
    { domain: 'a\0b' },
    { domain: '' },
    { username: 'ü'.repeat(128) },
    { password: 'ü'.repeat(65) },
  ])('refuses the log-on %j, which would be read as something else', (hostile) => {
    expect(() => credentialsFile({ ...access, ...hostile })).toThrow(
      expect.objectContaining({ code: 'SMB_LOGON_FAILED' }),
    );
  });

  it.each([
    ['mount error(13): Permission denied\nRefer to the mount.cifs(8) manual page', 'SMB_LOGON_FAILED'],
    ['mount error(2): No such file or directory', 'SMB_FOLDER_NOT_FOUND'],
    ['mount error(112): Host is down', 'SMB_UNREACHABLE'],
    ['mount error(115): Operation now in progress', 'SMB_UNREACHABLE'],
    ['mount error(22): Invalid argument', 'SMB_FAILED'],
    ['mount.cifs: permission denied: no match', 'SMB_FAILED'],
  ])('that fails with "%s" is %s', (stderr, code) => {
    expect(mountError(stderr).code).toBe(code);
  });

  it('tells the first of the errors that mount.cifs prints without a line break', () => {
    const stderr =
      'mount error(111): could not connect to ::1mount error(113): could not connect to 10.0.0.5' +
      'Unable to find suitable address.\n';
    expect(mountError(stderr).message).toMatch(/ failed: could not connect to ::1 \(111\)\.$/);
    const single = 'mount error(115): could not connect to 10.0.0.5Unable to find suitable address.\n';
    expect(mountError(single).message).toMatch(/ failed: could not connect to 10\.0\.0\.5 \(115\)\.$/);
  });
});
