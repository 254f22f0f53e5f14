import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newContext } from '../providers/conformance.ts';
import { IMAGE_KINDS, type ImageKind } from './image-kinds.ts';
import { exportOf, type QemuSubject, qemuSubject } from './subject.ts';

const never = new AbortController().signal;

describe('a whole source', () => {
  let subject: QemuSubject;
  beforeEach(async () => {
    subject = await qemuSubject();
  });
  afterEach(async () => subject.close());

  it.each(IMAGE_KINDS.map((kind): [string, ImageKind] => [kind.name, kind]))('%s is accepted', async (_, kind) => {
    await kind.make(subject.sourceFolder);
    const parameters = exportOf(join(subject.sourceFolder, 'disk'), kind.format);
    expect(await subject.createProvider().preflight(parameters, newContext(), never)).toEqual([]);
    const view = await subject.createProvider().describeSource(parameters, newContext(), never);
    expect(view.virtualSize).toBeGreaterThan(0);
  });
});
