/** Killing the test server cuts its clients off; started again it serves the same files on the same port. */

import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Samba, startSamba } from '../../harness/samba.ts';
import { type ShareTarget, smbclient, smbclientList } from '../../harness/smbclient.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';

const inside = temporaryFolder();
let samba: Samba;
let target: ShareTarget;

beforeAll(async () => {
  const shares = [{ name: 'images', path: inside('images') }];
  samba = await startSamba({
    dir: inside('samba'),
    address: '127.0.0.9',
    shares,
    user: 'exporter',
    password: 'secret',
  });
  target = { host: samba.host, port: samba.port, share: 'images', user: 'exporter', password: 'secret' };
  await writeFile(`${samba.sharePath('images')}/disk.vhdx`, 'content');
});
afterAll(() => samba.stop());

describe('a killed samba server', () => {
  it('answers nobody, and serves the same files after a start', async () => {
    const before = await smbclientList(target);
    expect(before.map((entry) => entry.name)).toEqual(['disk.vhdx']);

    await samba.kill();
    expect((await smbclient(target, 'ls')).output).toContain('NT_STATUS_CONNECTION_REFUSED');

    await samba.start();
    expect(samba.port).toBe(target.port);
    expect(await smbclientList(target)).toEqual(before);
  });

  it('can be restarted in one step', async () => {
    await samba.restart();
    expect((await smbclientList(target)).length).toBe(1);
  });
});
