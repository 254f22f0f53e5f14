/** A packed hive is unpacked whole, also when xz has long ended before a busy machine gets round to its output. */

import { pbkdf2 } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { emptyHive } from '../../fixtures/regf.ts';
import { unpack } from '../../fixtures/sample-hives.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { runTool } from '../../harness/tools.ts';

const inside = temporaryFolder();

/** Keeps each of the four threads that open files for Node busy for longer than xz takes. */
async function occupyFileThreads(): Promise<unknown> {
  const slow = promisify(pbkdf2);
  return await Promise.all([1, 2, 3, 4].map((n) => slow('busy', String(n), 1_500_000, 64, 'sha512')));
}

it('a hive that is unpacked on a busy machine has all its bytes', async () => {
  await writeFile(inside('HIVE'), emptyHive('HIVE'));
  await runTool('xz', ['--keep', inside('HIVE')]);
  const busy = occupyFileThreads();
  await unpack(inside('HIVE.xz'), inside('UNPACKED'));
  expect(await readFile(inside('UNPACKED'))).toEqual(emptyHive('HIVE'));
  await busy;
});
