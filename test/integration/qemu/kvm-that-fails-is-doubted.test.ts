/** That KVM ran once is believed until an engine does not start under it; then it is tried again. */
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { codeOf, newContext } from '../providers/conformance.ts';
import { type QemuSubject, qemuSubject } from './subject.ts';

const never = new AbortController().signal;
let subject: QemuSubject;
beforeEach(async () => {
  subject = await qemuSubject();
});
afterEach(async () => subject.close());

it('an engine that does not start under KVM takes the proof away that KVM runs', async () => {
  const binary = join(subject.folder, 'qemu');
  // The tried guest runs to its end; an engine, which alone has a file for its process id, does not even start.
  const script = [
    'case "$*" in',
    '  *--version*) echo "QEMU 1"; exit 0 ;;',
    '  *-pidfile*) echo "Could not access KVM kernel module" >&2; exit 1 ;;',
    'esac',
    'echo "Kernel panic - not syncing: VFS: Unable to mount root fs"',
  ];
  await writeFile(binary, `#!/bin/sh\n${script.join('\n')}\n`);
  await chmod(binary, 0o755);
  const provider = subject.createProvider({ binary, accelerator: 'auto' });
  const context = newContext();
  const request = { parameters: subject.parameters, userData: Buffer.alloc(16) };
  expect(await codeOf(provider.startEngine(request, context, never))).toBe('ENGINE_START_FAILED');
  expect(await readdir(subject.stateFolder)).toEqual(['vms']);
  await provider.teardown(context, never);
});
