/** Whatever a name holds, it stays one name: smbclient's command line has separators and quotes, but no escapes. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Samba, startSamba } from '../../harness/samba.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { clientOf, PASSWORD } from './server.ts';

const inside = temporaryFolder();
let samba: Samba;

beforeAll(async () => {
  const shares = [{ name: 'images', path: inside('images') }];
  samba = await startSamba({ dir: inside('samba'), shares, user: 'exporter', password: PASSWORD });
  await writeFile(inside('images/bystander'), 'x');
});
afterAll(() => samba.stop());

describe('names that a share may have', () => {
  it.each([
    "it's a disk",
    '$(reboot) & `id`',
    '-f',
    '!ls',
    'NT_STATUS_LOGON_FAILURE',
    '100% [1]{2}^~=+#@,',
    'Müller 日本 🙂',
    ' leading blank',
  ])('%s', async (name) => {
    const client = clientOf(samba, { folder: name });
    await mkdir(inside(`images/${name}`));
    await writeFile(inside(`images/${name}/${name}`), 'four');
    expect(await client.size(name)).toBe(4);
    await client.rename(name, `${name}.vhdx`);
    expect(await readdir(inside(`images/${name}`))).toEqual([`${name}.vhdx`]);
    await client.remove(`${name}.vhdx`);
    expect(await readdir(inside(`images/${name}`))).toEqual([]);
  });
});

describe('names that would be more than a name', () => {
  it.each([
    'x; del bystander',
    'x" "y',
    '*',
    'b?stander',
    '..',
    '.',
    '',
    '../bystander',
    '..\\bystander',
    'x\ndel bystander',
    'x:stream',
  ])('refuses %j', async (name) => {
    const refusal = { code: 'REQUEST_INVALID' };
    const client = clientOf(samba);
    await expect(client.remove(name)).rejects.toMatchObject(refusal);
    await expect(client.rename('bystander', name)).rejects.toMatchObject(refusal);
    await expect(client.size(name)).rejects.toMatchObject(refusal);
    if (name !== '' && name !== '../bystander') {
      await expect(clientOf(samba, { folder: name }).probe()).rejects.toMatchObject(refusal);
    }
    expect(await readdir(inside('images'))).toContain('bystander');
  });
});
