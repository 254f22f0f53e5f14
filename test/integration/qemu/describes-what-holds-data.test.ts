import { open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runTool } from '../../harness/tools.ts';
import { codeOf, newContext } from '../providers/conformance.ts';
import { exportOf, type QemuSubject, qemuSubject } from './subject.ts';

const never = new AbortController().signal;
const MIB = 1024 * 1024;

describe('what is known of a source beforehand', () => {
  let subject: QemuSubject;
  beforeEach(async () => {
    subject = await qemuSubject();
  });
  afterEach(async () => subject.close());

  it('is where data lies, through the whole chain, and not what reads as zeros', async () => {
    await runTool('qemu-io', ['-f', 'qcow2', '-c', 'write -P 1 0 512', '-c', 'write -z 4M 1M', subject.disk]);
    const overlay = join(subject.sourceFolder, 'overlay.qcow2');
    await runTool('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', subject.disk, overlay]);
    await runTool('qemu-io', ['-f', 'qcow2', '-c', 'write -P 2 10M 64k', overlay]);
    expect(await subject.createProvider().describeSource(exportOf(overlay), newContext(), never)).toEqual({
      serial: 'ips-source',
      virtualSize: 16 * MIB,
      dataExtents: [
        [0, MIB],
        [10 * MIB, MIB],
      ],
      dataBytes: 2 * MIB,
    });
  });

  it('is exact for a raw disk of odd length, which a finding mentions', async () => {
    const disk = join(subject.sourceFolder, 'odd.raw');
    await writeFile(disk, '');
    const handle = await open(disk, 'r+');
    await handle.write(Buffer.from('tail'), 0, 4, 5 * MIB);
    await handle.close();
    const view = await subject.createProvider().describeSource(exportOf(disk), newContext(), never);
    expect(view.virtualSize).toBe(5 * MIB + 4);
    expect(view.dataExtents?.at(-1)).toEqual([5 * MIB, 4]);
    const findings = await subject.createProvider().preflight(exportOf(disk), newContext(), never);
    expect(findings).toMatchObject([{ severity: 'critical', code: 'TARGET_FORMAT_REFUSED' }]);
  });

  it.each(['vmdk', 'vhdx'])('is known for %s too', async (format) => {
    const disk = join(subject.sourceFolder, `disk.${format}`);
    await runTool('qemu-img', ['create', '-q', '-f', format, disk, '16M']);
    expect(await subject.createProvider().preflight(exportOf(disk), newContext(), never)).toEqual([]);
    expect((await subject.createProvider().describeSource(exportOf(disk), newContext(), never)).virtualSize).toBe(
      16 * MIB,
    );
  });

  it('is no more than the file for a VHDX, in which QEMU sees no holes', async () => {
    const disk = join(subject.sourceFolder, 'disk.vhdx');
    await runTool('qemu-img', ['create', '-q', '-f', 'vhdx', disk, '10G']);
    const view = await subject.createProvider().describeSource(exportOf(disk), newContext(), never);
    expect(view.dataExtents).toEqual([[0, 10 * 1024 * MIB]]);
    expect(view.dataBytes).toBe((await stat(disk)).size);
  });

  it('is the whole size of a VMDK whose header says it, whatever its descriptor says of access', async () => {
    const disk = join(subject.sourceFolder, 'stream.vmdk');
    await runTool('qemu-img', ['create', '-q', '-f', 'vmdk', '-o', 'subformat=streamOptimized', disk, '16M']);
    const bytes = await readFile(disk);
    // The descriptor is followed by zeros, which take up the longer word.
    const at = bytes.indexOf('RW 32768');
    bytes.write(`RDONLY${bytes.toString('latin1', at + 2, at + 600)}`, at, 'latin1');
    await writeFile(disk, bytes);
    expect((await subject.createProvider().describeSource(exportOf(disk), newContext(), never)).virtualSize).toBe(
      16 * MIB,
    );
  });

  it.each(['RDONLY', 'NOACCESS'])(
    'is not told for a VMDK with an extent of %s, which QEMU leaves out',
    async (access) => {
      const disk = join(subject.sourceFolder, 'flat.vmdk');
      await runTool('qemu-img', ['create', '-q', '-f', 'vmdk', '-o', 'subformat=twoGbMaxExtentFlat', disk, '3G']);
      const descriptor = await readFile(disk, 'utf8');
      await writeFile(disk, descriptor.replace(/RW(?= \d+ FLAT "flat-f002)/, access));
      expect(await codeOf(subject.createProvider().describeSource(exportOf(disk), newContext(), never))).toBe(
        'SOURCE_UNREADABLE',
      );
    },
  );

  it('is known for a VMDK of several files', async () => {
    const disk = join(subject.sourceFolder, 'split.vmdk');
    const subformat = 'subformat=twoGbMaxExtentSparse';
    await runTool('qemu-img', ['create', '-q', '-f', 'vmdk', '-o', subformat, disk, '3G']);
    await runTool('qemu-io', ['-f', 'vmdk', '-c', 'write -P 3 2560M 64k', disk]);
    const view = await subject.createProvider().describeSource(exportOf(disk), newContext(), never);
    expect(view).toMatchObject({ virtualSize: 3072 * MIB, dataExtents: [[2560 * MIB, MIB]] });
  });
});
