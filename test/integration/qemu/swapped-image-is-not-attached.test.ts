import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, symlinkSync } from 'node:fs';
import { chmod, mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fileId } from '../../../providers/qemu/held-files.ts';
import { strangerIn } from '../../../providers/qemu/stranger.ts';
import { findVms } from '../../../providers/qemu/vm-process.ts';
import { Doors } from '../../../src/lib/doors.ts';
import type { JobParameters } from '../../../src/protocol/job.ts';
import { runTool } from '../../harness/tools.ts';
import { codeOf, newContext } from '../providers/conformance.ts';
import { exportOf, type QemuSubject, qemuSubject } from './subject.ts';

const never = new AbortController().signal;

describe('a file of the source that is swapped after it was looked at', () => {
  let subject: QemuSubject;
  let outside: string;
  beforeEach(async () => {
    subject = await qemuSubject();
    outside = join(subject.folder, 'outside');
    await mkdir(outside);
  });
  afterEach(async () => subject.close());
  const create = (...args: string[]) => runTool('qemu-img', ['create', '-q', ...args]);

  /** Starts an engine; `swap` happens right before QEMU is. */
  async function start(parameters: JobParameters, swap: () => void): Promise<string> {
    const doors = new Doors({ before: (_, point) => point === 'qemu.start' && swap(), after: () => undefined });
    const context = newContext();
    const provider = subject.createProvider({}, { doors });
    const code = await codeOf(provider.startEngine({ parameters, userData: Buffer.alloc(16) }, context, never));
    // The VM is gone by then, not only later.
    if (code !== 'no error') expect(await findVms(join(subject.stateFolder, 'vms'))).toEqual([]);
    await provider.teardown(context, never);
    expect(context.ledger.open()).toEqual([]);
    return code;
  }
  function linkInstead(path: string, target: string): void {
    renameSync(path, `${path}.old`);
    symlinkSync(target, path);
  }

  it('for a link that leads outside is refused', async () => {
    const secret = join(outside, 'secret.qcow2');
    await create('-f', 'qcow2', secret, '16M');
    expect(await start(subject.parameters, () => linkInstead(subject.disk, secret))).toBe('SOURCE_BACKING_REFUSED');
  });

  it('for another file in its folder is refused', async () => {
    const other = join(subject.sourceFolder, 'other.qcow2');
    await create('-f', 'qcow2', other, '16M');
    expect(await start(subject.parameters, () => renameSync(other, subject.disk))).toBe('SOURCE_BACKING_REFUSED');
  });

  it('is refused also when it is a backing file', async () => {
    const secret = join(outside, 'secret.raw');
    const base = join(subject.sourceFolder, 'base.raw');
    const overlay = join(subject.sourceFolder, 'overlay.qcow2');
    await create('-f', 'raw', secret, '16M');
    await create('-f', 'raw', base, '16M');
    await create('-f', 'qcow2', '-F', 'raw', '-b', base, overlay);
    expect(await start(exportOf(overlay), () => linkInstead(base, secret))).toBe('SOURCE_BACKING_REFUSED');
  });

  it('is refused also when it is an extent of a VMDK', async () => {
    const secret = join(outside, 'secret.raw');
    const disk = join(subject.sourceFolder, 'flat.vmdk');
    await create('-f', 'raw', secret, '16M');
    await create('-f', 'vmdk', '-o', 'subformat=monolithicFlat', disk, '16M');
    const extent = join(subject.sourceFolder, 'flat-flat.vmdk');
    expect(await start(exportOf(disk), () => linkInstead(extent, secret))).toBe('SOURCE_BACKING_REFUSED');
  });

  it('by a folder above it is refused', async () => {
    const below = join(subject.sourceFolder, 'below');
    await mkdir(below);
    await create('-f', 'qcow2', join(below, 'disk.qcow2'), '16M');
    await create('-f', 'qcow2', join(outside, 'disk.qcow2'), '16M');
    const swap = () => linkInstead(below, outside);
    expect(await start(exportOf(join(below, 'disk.qcow2')), swap)).toBe('SOURCE_BACKING_REFUSED');
  });

  it('is refused also when the look at it was led astray already', async () => {
    const secret = await open(join(outside, 'secret.raw'), 'w');
    const holder = spawn('sleep', ['60'], { stdio: [secret.fd, 'ignore', 'ignore'] });
    try {
      const vm = { pid: holder.pid ?? 0, startTicks: 0, name: 'vm', folder: subject.stateFolder, address: undefined };
      await mkdir(subject.stateFolder);
      const source = [{ path: subject.disk, id: fileId(await secret.stat({ bigint: true })) }];
      expect(await strangerIn(vm, { source, engineImage: [] })).toBe(join(outside, 'secret.raw'));
    } finally {
      holder.kill('SIGKILL');
      await once(holder, 'exit');
      await secret.close();
    }
  });

  it('while the engine has it open is not described in its place', async () => {
    const context = newContext();
    const provider = subject.createProvider();
    await provider.startEngine({ parameters: subject.parameters, userData: Buffer.alloc(16) }, context, never);
    const look = () => codeOf(provider.describeSource(subject.parameters, context, never));
    expect(await look()).toBe('no error');
    const other = join(subject.sourceFolder, 'other.qcow2');
    await create('-f', 'qcow2', other, '16M');
    renameSync(other, subject.disk);
    expect(await look()).toBe('SOURCE_UNREADABLE');
    await provider.teardown(context, never);
  });

  it('while an accelerator is tried is refused before anything is made', async () => {
    const secret = join(outside, 'secret.qcow2');
    await create('-f', 'qcow2', secret, '16M');
    const binary = join(subject.folder, 'qemu');
    await writeFile(binary, '#!/bin/sh\ncase "$*" in *--version*) echo "QEMU 1";; *) exit 1;; esac\n');
    await chmod(binary, 0o755);
    const swap = (point: string) => point === 'qemu.try' && linkInstead(subject.disk, secret);
    const doors = new Doors({ before: (_, point) => swap(point), after: () => undefined });
    const provider = subject.createProvider({ binary, accelerator: 'auto' }, { doors });
    const context = newContext();
    const start = provider.startEngine({ parameters: subject.parameters, userData: Buffer.alloc(16) }, context, never);
    expect(await codeOf(start)).toBe('SOURCE_BACKING_REFUSED');
    expect(context.ledger.rows).toEqual([]);
  });

  it('is the only one refused: a whole chain with data file and extents is attached', async () => {
    const base = join(subject.sourceFolder, 'base.vmdk');
    const overlay = join(subject.sourceFolder, 'overlay.qcow2');
    await create('-f', 'vmdk', '-o', 'subformat=twoGbMaxExtentFlat', base, '3G');
    const dataFile = `data_file=${join(subject.sourceFolder, 'data.raw')}`;
    await create('-f', 'qcow2', '-o', dataFile, '-F', 'vmdk', '-b', base, overlay);
    expect(await readdir(subject.sourceFolder)).toHaveLength(6);
    expect(await start(exportOf(overlay), () => undefined)).toBe('no error');
  });

  it('matters not when the engine image is reached by links', async () => {
    const linked = join(subject.folder, 'linked');
    symlinkSync(join(subject.folder, 'image'), linked);
    const context = newContext();
    const provider = subject.createProvider({ engineImageFolder: linked });
    await provider.startEngine({ parameters: subject.parameters, userData: Buffer.alloc(16) }, context, never);
    await provider.teardown(context, never);
    expect(context.ledger.open()).toEqual([]);
  });
});
