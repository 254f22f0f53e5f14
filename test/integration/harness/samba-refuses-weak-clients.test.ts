/** The test server lets in SMB 3.1.1 clients that encrypt and know the password, and nobody else. */

import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Samba, startSamba } from '../../harness/samba.ts';
import { type ShareTarget, smbclient, smbclientList } from '../../harness/smbclient.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';

const inside = temporaryFolder();
let samba: Samba;
let target: ShareTarget;

beforeAll(async () => {
  const shares = [{ name: 'images', path: inside('images') }];
  samba = await startSamba({ dir: inside('samba'), shares, user: 'exporter', password: 'correct horse' });
  target = { host: samba.host, port: samba.port, share: 'images', user: 'exporter', password: 'correct horse' };
});
afterAll(() => samba.stop());

describe('the samba server', () => {
  it('serves a client that encrypts, whatever domain it names', async () => {
    expect(await smbclientList({ ...target, domain: 'CORP' })).toEqual([]);
  });

  it('refuses a client that knows the password but offers no cipher', async () => {
    const { code, output } = await smbclient(target, 'ls', ['--option=client smb3 encryption algorithms=none']);
    expect(code).toBe(1);
    expect(output).toContain('session setup failed: NT_STATUS_ACCESS_DENIED');
    expect(await readFile(inside('samba/log/smbd.log'), 'utf8')).toContain(
      'reject session with dialect[0x0311] as encryption is required',
    );
  });

  it.each(['SMB2_10', 'SMB3_00', 'SMB3_02'])('refuses the dialect %s', async (dialect) => {
    const { code, output } = await smbclient(target, 'ls', ['-m', dialect]);
    expect(code).toBe(1);
    expect(output).toContain('protocol negotiation failed: NT_STATUS_NOT_SUPPORTED');
  });

  it('refuses a wrong password and an unknown user', async () => {
    for (const wrong of [{ password: 'wrong' }, { user: 'nobody-we-know' }]) {
      const { code, output } = await smbclient({ ...target, ...wrong }, 'ls');
      expect(code).toBe(1);
      expect(output).toContain('NT_STATUS_LOGON_FAILURE');
    }
  });

  it('refuses an anonymous client', async () => {
    const { code, output } = await smbclient(target, 'ls', ['-U', '%']);
    expect(code).toBe(1);
    expect(output).toContain('session setup failed: NT_STATUS_ACCESS_DENIED');
  });

  it('does not know a share that it was not given', async () => {
    const { code, output } = await smbclient({ ...target, share: 'other' }, 'ls');
    expect(code).toBe(1);
    expect(output).toContain('NT_STATUS_BAD_NETWORK_NAME');
  });
});
