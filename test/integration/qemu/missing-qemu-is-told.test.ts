import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newContext } from '../providers/conformance.ts';
import { type QemuSubject, qemuSubject } from './subject.ts';

describe('a machine without a QEMU that works', () => {
  let subject: QemuSubject;
  beforeEach(async () => {
    subject = await qemuSubject();
  });
  afterEach(async () => subject.close());

  it.each<[string, string | undefined]>([
    ['is not there', undefined],
    ['dies by a signal', 'kill -SEGV $$'],
    ['fails', 'echo "QEMU 1"; exit 1'],
  ])('is told in the preflight when it %s, with the packages to install', async (_, script) => {
    const binary = join(subject.folder, 'qemu');
    if (script !== undefined) {
      await writeFile(binary, `#!/bin/sh\n${script}\n`);
      await chmod(binary, 0o755);
    }
    const provider = subject.createProvider({ binary });
    const findings = await provider.preflight(subject.parameters, newContext(), new AbortController().signal);
    expect(findings).toMatchObject([
      { severity: 'critical', code: 'ENGINE_START_FAILED', remedy: expect.stringContaining('apt-get install') },
    ]);
  });
});
