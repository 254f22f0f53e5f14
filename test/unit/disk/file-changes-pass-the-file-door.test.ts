import { execFileSync } from 'node:child_process';
import { readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { createFile, openFile } from '../../../src/disk/file.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { inTemporaryFolder } from './temporary-folder.ts';

describe('a file', () => {
  it('is created, resized, flushed and closed through the file door', async () => {
    await inTemporaryFolder(async (folder) => {
      const passed: string[] = [];
      const doors = new Doors({ before: (door, point) => passed.push(`${door}:${point}`), after: () => undefined });
      const file = await createFile(`${folder}/new`, doors);
      await file.truncate(10);
      await file.write(2, Buffer.from('abc'));
      await file.flush();
      await file.close();
      expect(passed).toEqual(['file:disk.create', 'file:disk.resize', 'file:disk.flush', 'file:disk.close']);
      expect(await readFile(`${folder}/new`)).toEqual(Buffer.from('\0\0abc\0\0\0\0\0'));
      expect((await stat(`${folder}/new`)).mode & 0o777).toBe(0o600);
    });
  });

  it('is not created, nor opened for writing, where something is', async () => {
    await inTemporaryFolder(async (folder) => {
      await writeFile(`${folder}/old`, 'theirs');
      await symlink(`${folder}/elsewhere`, `${folder}/link`);
      for (const name of ['old', 'link']) {
        await expect(createFile(`${folder}/${name}`)).rejects.toMatchObject({ code: 'EEXIST' });
      }
      expect(await readFile(`${folder}/old`, 'utf8')).toBe('theirs');
    });
  });

  it('is read within its length only', async () => {
    await inTemporaryFolder(async (folder) => {
      await writeFile(`${folder}/file`, '0123456789');
      const file = await openFile(`${folder}/file`);
      const four = Buffer.alloc(4);
      await file.read(6, four);
      expect(four.toString()).toBe('6789');
      await expect(file.read(7, four)).rejects.toMatchObject({ code: 'OUT_OF_RANGE', offset: 7 });
      await expect(file.read(-1, four)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
      await file.close();
    });
  });

  it('that became shorter is said to be so', async () => {
    await inTemporaryFolder(async (folder) => {
      await writeFile(`${folder}/file`, '0123456789');
      const file = await openFile(`${folder}/file`);
      await writeFile(`${folder}/file`, '01234567');
      await expect(file.read(6, Buffer.alloc(4))).rejects.toMatchObject({ code: 'TRUNCATED', offset: 8 });
      await file.close();
    });
  });

  it('is a regular file or a block device; a pipe is refused without waiting for its writer', async () => {
    await inTemporaryFolder(async (folder) => {
      execFileSync('mkfifo', [`${folder}/pipe`]);
      for (const path of [`${folder}/pipe`, folder, '/dev/null']) {
        await expect(openFile(path)).rejects.toMatchObject({ code: 'NOT_A_DISK' });
      }
    });
  });
});
