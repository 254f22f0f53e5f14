import { copyFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newContext } from '../providers/conformance.ts';
import { exportOf, type QemuSubject, qemuSubject } from './subject.ts';

const never = new AbortController().signal;

describe('the format of a source', () => {
  let subject: QemuSubject;
  beforeEach(async () => {
    subject = await qemuSubject();
  });
  afterEach(async () => subject.close());
  const preflight = (name: string, format?: string) =>
    subject.createProvider().preflight(exportOf(join(subject.sourceFolder, name), format), newContext(), never);

  it('is asked for when the name does not tell it', async () => {
    await copyFile(subject.disk, join(subject.sourceFolder, 'disk.image'));
    expect(await preflight('disk.image')).toMatchObject([
      { severity: 'critical', code: 'SOURCE_UNREADABLE', remedy: expect.stringContaining('--disk-format') },
    ]);
    expect(await preflight('disk.image', 'qcow2')).toEqual([]);
  });

  it('is asked for when the name says raw and the content looks otherwise', async () => {
    await copyFile(subject.disk, join(subject.sourceFolder, 'disk.img'));
    expect(await preflight('disk.img')).toMatchObject([
      { severity: 'critical', code: 'SOURCE_UNREADABLE', remedy: expect.stringContaining('--disk-format qcow2') },
    ]);
  });

  it('is what was asked for, whatever the guest wrote into its first sector', async () => {
    await copyFile(subject.disk, join(subject.sourceFolder, 'disk.img'));
    // A raw disk is whole sectors; the image file that poses as one is not.
    await truncate(join(subject.sourceFolder, 'disk.img'), 1024 * 1024);
    expect((await preflight('disk.img', 'raw')).filter(({ severity }) => severity === 'critical')).toEqual([]);
    const view = await subject
      .createProvider()
      .describeSource(exportOf(join(subject.sourceFolder, 'disk.img'), 'raw'), newContext(), never);
    expect(view.virtualSize).toBeLessThan(16 * 1024 * 1024);
  });
});
