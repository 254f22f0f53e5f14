/** Who may write where on the test server: read-only shares, and users who may only read. */

import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Samba, startSamba } from '../../harness/samba.ts';
import { type ShareTarget, smbclient, smbclientList } from '../../harness/smbclient.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';

const inside = temporaryFolder();
let samba: Samba;

const as = (user: string, password: string, share: string): ShareTarget => ({
  host: samba.host,
  port: samba.port,
  share,
  user,
  password,
});

beforeAll(async () => {
  samba = await startSamba({
    dir: inside('samba'),
    shares: [
      { name: 'images', path: inside('images'), readers: ['reader'] },
      { name: 'archive', path: inside('archive'), writable: false },
    ],
    user: 'exporter',
    password: 'first',
  });
  await samba.addUser('reader', 'second');
  await writeFile(inside('file'), 'twelve bytes');
});
afterAll(() => samba.stop());

describe('the samba server', () => {
  it('lets its user write, and everyone list what was written', async () => {
    const put = await smbclient(
      as('exporter', 'first', 'images'),
      `mkdir "a folder"; put ${inside('file')} "a file.vhdx"`,
    );
    expect(put.code).toBe(0);
    const entries = await smbclientList(as('reader', 'second', 'images'));
    expect(
      entries.map(({ name, folder, bytes }) => ({ name, folder, bytes })).sort((a, b) => a.bytes - b.bytes),
    ).toEqual([
      { name: 'a folder', folder: true, bytes: 0 },
      { name: 'a file.vhdx', folder: false, bytes: 12 },
    ]);
    expect(await smbclientList(as('exporter', 'first', 'images'), 'a folder')).toEqual([]);
  });

  it('refuses a write by a user who may only read', async () => {
    const { code, output } = await smbclient(as('reader', 'second', 'images'), `put ${inside('file')} mine`);
    expect(code).toBe(1);
    expect(output).toContain('NT_STATUS_ACCESS_DENIED');
  });

  it('refuses every write on a read-only share', async () => {
    const { code, output } = await smbclient(as('exporter', 'first', 'archive'), `put ${inside('file')} mine`);
    expect(code).toBe(1);
    expect(output).toContain('NT_STATUS_ACCESS_DENIED');
  });

  it('keeps the passwords of its users apart', async () => {
    const { output } = await smbclient(as('reader', 'first', 'images'), 'ls');
    expect(output).toContain('NT_STATUS_LOGON_FAILURE');
  });
});
