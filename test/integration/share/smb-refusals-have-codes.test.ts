/** Each way in which a file server refuses gets its own code, from a real server. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Samba, startSamba } from '../../harness/samba.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { clientOf, PASSWORD } from './server.ts';

const inside = temporaryFolder();
let samba: Samba;

beforeAll(async () => {
  samba = await startSamba({
    dir: inside('samba'),
    shares: [
      { name: 'images', path: inside('images') },
      { name: 'archive', path: inside('archive'), writable: false },
    ],
    user: 'exporter',
    password: PASSWORD,
  });
  await mkdir(inside('images/sub folder'));
});
afterAll(() => samba.stop());

describe('a probe', () => {
  it('of the right share and folder tells the free space', async () => {
    const { freeBytes } = await clientOf(samba).probe();
    expect(freeBytes).toBeGreaterThan(0);
    expect(await clientOf(samba, { folder: 'sub folder', domain: 'LAB' }).probe()).toEqual({
      freeBytes: expect.any(Number),
    });
  });

  it.each([
    ['a wrong password', { password: 'wrong' }, 'SMB_LOGON_FAILED'],
    ['the password without its blanks', { password: PASSWORD.trim() }, 'SMB_LOGON_FAILED'],
    ['an unknown user', { username: 'nobody-here' }, 'SMB_LOGON_FAILED'],
    ['a user name that hides a password', { username: 'exporter%x' }, 'SMB_LOGON_FAILED'],
    ['a user name that hides a domain', { username: 'LAB\\exporter' }, 'SMB_LOGON_FAILED'],
    ['a password that smbclient would cut', { password: 'x'.repeat(129) }, 'SMB_LOGON_FAILED'],
    ['a password of two lines', { password: `${PASSWORD}\nx` }, 'SMB_LOGON_FAILED'],
    ['an unknown share', { share: 'nothing here' }, 'SMB_SHARE_NOT_FOUND'],
    ['a missing folder', { folder: 'sub folder/deeper' }, 'SMB_FOLDER_NOT_FOUND'],
    ['a closed port', { port: 1 }, 'SMB_UNREACHABLE'],
    ['a name that does not resolve', { host: 'file-server.invalid' }, 'SMB_UNREACHABLE'],
  ])('with %s', async (_what, access, code) => {
    await expect(clientOf(samba, access).probe()).rejects.toMatchObject({ code });
  });

  it('ends when it is told to', async () => {
    const reason = new Error('enough');
    await expect(clientOf(samba).probe(AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

it('removing from a read-only share is SMB_ACCESS_DENIED', async () => {
  await writeFile(inside('archive/old.vhdx'), 'x');
  await expect(clientOf(samba, { share: 'archive' }).remove('old.vhdx')).rejects.toMatchObject({
    code: 'SMB_ACCESS_DENIED',
  });
  expect(await readdir(inside('archive'))).toEqual(['old.vhdx']);
});
