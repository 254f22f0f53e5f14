/** Rename, remove and size on a real server: nothing is ever replaced, and repeating does no harm. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { SmbClient } from '../../../src/share/smb-client.ts';
import { type Samba, startSamba } from '../../harness/samba.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { clientOf, PASSWORD } from './server.ts';

const inside = temporaryFolder();
let samba: Samba;
let client: SmbClient;

beforeAll(async () => {
  const shares = [{ name: 'images', path: inside('images') }];
  samba = await startSamba({ dir: inside('samba'), shares, user: 'exporter', password: PASSWORD });
});
afterAll(() => samba.stop());

let folder: string;
let run = 0;
beforeEach(async () => {
  run += 1;
  folder = inside(`images/run ${run}`);
  await mkdir(folder);
  await writeFile(`${folder}/.x.partial`, 'ours');
  client = clientOf(samba, { folder: `run ${run}` });
});

describe('rename', () => {
  it('gives the new name', async () => {
    await client.rename('.x.partial', 'x.vhdx');
    expect(await readdir(folder)).toEqual(['x.vhdx']);
  });

  it('is refused when the target exists, and leaves both as they are', async () => {
    await writeFile(`${folder}/x.vhdx`, 'theirs');
    await expect(client.rename('.x.partial', 'X.VHDX')).rejects.toMatchObject({ code: 'TARGET_EXISTS' });
    expect(await readFile(`${folder}/x.vhdx`, 'utf8')).toBe('theirs');
    expect(await readFile(`${folder}/.x.partial`, 'utf8')).toBe('ours');
  });

  it('says so when there is nothing to rename', async () => {
    await expect(client.rename('.y.partial', 'x.vhdx')).rejects.toMatchObject({ code: 'SMB_FAILED' });
  });
});

it('remove takes a file away, and what is not there counts as removed', async () => {
  await client.remove('.x.partial');
  await client.remove('.x.partial');
  await clientOf(samba, { folder: 'no such folder' }).remove('.x.partial');
  expect(await readdir(folder)).toEqual([]);
});

it('size tells what is there', async () => {
  expect([await client.size('.x.partial'), await client.size('x.vhdx')]).toEqual([4, undefined]);
});
