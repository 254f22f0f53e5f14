/** A name that cannot be looked at is no reason to keep a job waiting: it is declined with the reason. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { SourceFolders } from '../../../providers/qemu/source-folders.ts';
import { IpsError } from '../../../src/protocol/errors.ts';
import { exportOf, type QemuSubject, qemuSubject } from './subject.ts';

const never = new AbortController().signal;
let subject: QemuSubject;
beforeEach(async () => {
  subject = await qemuSubject();
});
afterEach(async () => subject.close());

it.each([
  ['a link to itself', 'loop.raw', 'may not look at'],
  ['a name that is too long for any folder', `${'x'.repeat(300)}.raw`, 'may not look at'],
  ['a name below a file', 'file/disk.raw', 'There is no'],
  ['a name of nothing', 'nothing.raw', 'There is no'],
])('%s', async (_, name, reason) => {
  await symlink('loop.raw', join(subject.sourceFolder, 'loop.raw'));
  await writeFile(join(subject.sourceFolder, 'file'), '');
  const path = join(subject.sourceFolder, name);
  const claim = subject.createProvider().claim(exportOf(path), never);
  await expect(claim).rejects.toMatchObject({ code: 'SOURCE_NOT_HERE', message: expect.stringContaining(reason) });
  await expect(claim).rejects.toBeInstanceOf(IpsError);
});

it('a source folder that is not there hides no other', async () => {
  const here = join(subject.folder, 'here');
  await mkdir(here);
  await writeFile(join(here, 'disk.raw'), '');
  const folders = new SourceFolders([join(subject.folder, 'gone'), here]);
  expect((await folders.locate(join(here, 'disk.raw'))).kind).toBe('inside');
});
