/** Names and secrets cannot add options to a mount, and the password is in none of the arguments. */
import { describe, expect, it } from '@jest/globals';
import { credentialsFile, mountArguments, mountError } from '../../../src/engine/cifs-mount.ts';

const access = {
  ...{ host: 'files.example', port: 1445, share: 'our share', folder: 'sub dir/ü' },
  ...{ username: 'exporter', password: ' p,a ss=w%"', domain: 'LAB' },
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

  it('takes user, password and domain from a file, as they are', () => {
    expect(credentialsFile(access)).toBe('username=exporter\npassword= p,a ss=w%"\ndomain=LAB\n');
    expect(credentialsFile({ ...access, domain: undefined })).toBe('username=exporter\npassword= p,a ss=w%"\n');
  });

  it.each([{ password: 'x\ndomain=evil' }, { username: 'x\r' }, { domain: 'a\0b' }, { password: 'x'.repeat(513) }])(
    'refuses a credential that the file cannot carry',
    (hostile) => {
      expect(() => credentialsFile({ ...access, ...hostile })).toThrow(
        expect.objectContaining({ code: 'SMB_LOGON_FAILED' }),
      );
    },
  );

  it.each([
    ['mount error(13): Permission denied\nRefer to the mount.cifs(8) manual page', 'SMB_ACCESS_DENIED'],
    ['mount error(2): No such file or directory', 'SMB_FOLDER_NOT_FOUND'],
    ['mount error(112): Host is down', 'SMB_UNREACHABLE'],
    ['mount error(115): Operation now in progress', 'SMB_UNREACHABLE'],
    ['mount error(22): Invalid argument', 'SMB_FAILED'],
    ['mount.cifs: permission denied: no match', 'SMB_FAILED'],
  ])('that fails with "%s" is %s', (stderr, code) => {
    expect(mountError(stderr).code).toBe(code);
  });
});
