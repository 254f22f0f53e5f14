import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runTool } from '../../harness/tools.ts';
import { newContext } from '../providers/conformance.ts';
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
    expect(await subject.createProvider().describeSource(exportOf(overlay), never)).toEqual({
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
    const view = await subject.createProvider().describeSource(exportOf(disk), never);
    expect(view.virtualSize).toBe(5 * MIB + 4);
    expect(view.dataExtents?.at(-1)).toEqual([5 * MIB, 4]);
    const findings = await subject.createProvider().preflight(exportOf(disk), newContext('job-a'), never);
    expect(findings).toMatchObject([{ severity: 'critical', code: 'TARGET_FORMAT_REFUSED' }]);
  });

  it.each(['vmdk', 'vhdx'])('is known for %s too', async (format) => {
    const disk = join(subject.sourceFolder, `disk.${format}`);
    await runTool('qemu-img', ['create', '-q', '-f', format, disk, '16M']);
    expect(await subject.createProvider().preflight(exportOf(disk), newContext('job-a'), never)).toEqual([]);
    expect((await subject.createProvider().describeSource(exportOf(disk), never)).virtualSize).toBe(16 * MIB);
  });

  it('is known for a VMDK of several files', async () => {
    const disk = join(subject.sourceFolder, 'split.vmdk');
    const subformat = 'subformat=twoGbMaxExtentSparse';
    await runTool('qemu-img', ['create', '-q', '-f', 'vmdk', '-o', subformat, disk, '3G']);
    await runTool('qemu-io', ['-f', 'vmdk', '-c', 'write -P 3 2560M 64k', disk]);
    const view = await subject.createProvider().describeSource(exportOf(disk), never);
    expect(view).toMatchObject({ virtualSize: 3072 * MIB, dataExtents: [[2560 * MIB, MIB]] });
  });
});
