/** QEMU reads zeros beyond the end of a file: what an interrupted copy lacks would be exported as if it were empty. */
import { stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newContext } from '../providers/conformance.ts';
import { IMAGE_KINDS, type ImageKind } from './image-kinds.ts';
import { exportOf, type QemuSubject, qemuSubject } from './subject.ts';

const never = new AbortController().signal;
const PIECES = IMAGE_KINDS.flatMap((kind) =>
  kind.files.map((file): [string, string, ImageKind] => [kind.name, file, kind]),
);

describe('a source that is cut off', () => {
  let subject: QemuSubject;
  beforeEach(async () => {
    subject = await qemuSubject();
  });
  afterEach(async () => subject.close());

  it.each(PIECES)('%s: %s is told, wherever it ends', async (_, file, { format, make, padding = 0 }) => {
    await make(subject.sourceFolder);
    const cut = join(subject.sourceFolder, file);
    const { size } = await stat(cut);
    const provider = subject.createProvider();
    const lost = [1, 512, 65_536, Math.ceil(size / 2)].map((bytes) => bytes + padding);
    for (const bytes of lost.filter((each) => each < size).sort((one, other) => one - other)) {
      await truncate(cut, size - bytes);
      const parameters = exportOf(join(subject.sourceFolder, 'disk'), format);
      const [finding, ...others] = await provider.preflight(parameters, newContext(), never);
      expect({ bytes, ...finding }).toMatchObject({
        bytes,
        severity: 'critical',
        code: 'SOURCE_UNREADABLE',
        message: expect.stringMatching(new RegExp(`${cut}(: it)? is cut off`)),
      });
      expect(others).toEqual([]);
    }
  });

  it('after the preflight keeps its engine from being started', async () => {
    const provider = subject.createProvider();
    expect(await provider.preflight(subject.parameters, newContext(), never)).toEqual([]);
    await truncate(subject.disk, (await stat(subject.disk)).size - 1);
    const context = newContext();
    const start = provider.startEngine({ parameters: subject.parameters, userData: Buffer.alloc(16) }, context, never);
    await expect(start).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
      message: expect.stringContaining('cut off'),
    });
    expect(context.ledger.rows).toEqual([]);
  });
});
