/** The test server tells which files its clients have open. */

import { open } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../harness/eventually.ts';
import { type OpenFile, type Samba, startSamba } from '../../harness/samba.ts';
import { smbclient } from '../../harness/smbclient.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { runTool } from '../../harness/tools.ts';

const inside = temporaryFolder();
let samba: Samba;

beforeAll(async () => {
  const shares = [{ name: 'images', path: inside('images') }];
  samba = await startSamba({ dir: inside('samba'), shares, user: 'exporter', password: 'secret' });
});
afterAll(() => samba.stop());

async function openImages(): Promise<OpenFile[]> {
  // A client also holds folders open for a moment.
  return (await samba.openFiles()).filter((file) => file.name.endsWith('.vhdx'));
}

describe('openFiles', () => {
  it('names a file while a client writes it', async () => {
    expect(await openImages()).toEqual([]);

    // The upload goes on until the pipe closes, so the file stays open for as long as we like.
    await runTool('mkfifo', [inside('pipe')]);
    const target = { host: samba.host, port: samba.port, share: 'images', user: 'exporter', password: 'secret' };
    const upload = smbclient(target, `put ${inside('pipe')} disk.vhdx`);
    const writer = await open(inside('pipe'), 'w');
    try {
      const seen = await eventually(openImages, (files) => files.length > 0);
      expect(seen).toEqual([{ name: 'disk.vhdx', sharePath: inside('images') }]);
    } finally {
      await writer.close();
    }
    expect((await upload).code).toBe(0);
    expect(await openImages()).toEqual([]);
  });
});
