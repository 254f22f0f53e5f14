import { appendFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newContext } from '../providers/conformance.ts';
import { type QemuSubject, qemuSubject } from './subject.ts';

describe('an engine image that is not what its manifest says', () => {
  let subject: QemuSubject;
  beforeEach(async () => {
    subject = await qemuSubject();
  });
  afterEach(async () => subject.close());

  const findings = () =>
    subject.createProvider().preflight(subject.parameters, newContext(), new AbortController().signal);

  it.each<[string, (folder: string) => Promise<void>]>([
    ['a file is missing', (folder) => rm(join(folder, 'initrd'))],
    ['the manifest is missing', (folder) => rm(join(folder, 'manifest.json'))],
    ['the manifest is something else', (folder) => writeFile(join(folder, 'manifest.json'), '[]')],
    ['a byte was added', (folder) => appendFile(join(folder, 'root.sqfs'), 'x')],
  ])('is found when %s', async (_, damage) => {
    await damage(join(subject.folder, 'image'));
    expect(await findings()).toMatchObject([{ severity: 'critical', code: 'ENGINE_IMAGE_MISSING' }]);
  });
});
