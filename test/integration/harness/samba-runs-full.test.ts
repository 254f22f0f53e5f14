/** A share on a limited file system ends a write with "disk full", and its mount goes with the server. */

import { truncate, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readMounts } from '../../harness/proc-files.ts';
import { type Samba, startSamba } from '../../harness/samba.ts';
import { type ShareTarget, smbclient } from '../../harness/smbclient.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';

const inside = temporaryFolder();
let samba: Samba;
let target: ShareTarget;

beforeAll(async () => {
  const shares = [{ name: 'tiny', path: inside('tiny'), limitMiB: 4 }];
  samba = await startSamba({ dir: inside('samba'), shares, user: 'exporter', password: 'secret' });
  target = { host: samba.host, port: samba.port, share: 'tiny', user: 'exporter', password: 'secret' };
});
afterAll(() => samba.stop());

const mounted = async (): Promise<boolean> => (await readMounts()).some((mount) => mount.at === inside('tiny'));

describe('a limited share', () => {
  it('tells its clients how big it is', async () => {
    expect((await smbclient(target, 'du')).output).toContain('4096 blocks of size 1024');
  });

  it('ends a write that does not fit', async () => {
    await writeFile(inside('big'), '');
    await truncate(inside('big'), 8 * 1024 * 1024);
    const { code, output } = await smbclient(target, `put ${inside('big')} big`);
    expect(code).toBe(1);
    expect(output).toContain('NT_STATUS_DISK_FULL');
  });

  it('is mounted until the server stops', async () => {
    expect(await mounted()).toBe(true);
    await samba.stop();
    expect(await mounted()).toBe(false);
  });
});
