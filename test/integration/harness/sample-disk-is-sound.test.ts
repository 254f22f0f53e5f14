/** The small sample disk, judged by others: sgdisk, ntfsresize, ntfsls, mtools and hivexsh; and its garbage by its own bitmap. */

import { execFileSync } from 'node:child_process';
import { open, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { sampleDisk } from '../../fixtures/sample-disk.ts';
import type { SampleDisk } from '../../fixtures/sample-stamp.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { runTool } from '../../harness/tools.ts';

const MIB = 1024 * 1024;
const CLUSTER = 4096;
const inside = temporaryFolder();
let disk: SampleDisk;

beforeAll(async () => {
  disk = await sampleDisk(inside('small.raw'), { small: true });
  const { offset, bytes } = disk.partitions.ntfs;
  await runTool('dd', [
    `if=${disk.path}`,
    `of=${inside('ntfs')}`,
    'bs=1M',
    `skip=${offset / MIB}`,
    `count=${bytes / MIB}`,
    'conv=sparse',
    'status=none',
  ]);
}, 120_000);

const fileOf = (path: string): Buffer => execFileSync('ntfscat', ['-f', inside('ntfs'), path], { maxBuffer: 64 * MIB });

/** Bytes that are not zero in clusters that the file system calls free. */
async function garbage(): Promise<number> {
  const bitmap = execFileSync('ntfscat', ['-f', '-i', '6', inside('ntfs')]);
  const partition = await open(inside('ntfs'));
  const piece = Buffer.alloc(8 * CLUSTER);
  const zero = Buffer.alloc(CLUSTER);
  let found = 0;
  // A byte of the bitmap tells about eight clusters.
  for (const [index, used] of bitmap.entries()) {
    if (used === 0xff) continue;
    const { bytesRead } = await partition.read(piece, 0, piece.length, index * piece.length);
    for (let bit = 0; bit < 8 && (bit + 1) * CLUSTER <= bytesRead; bit++) {
      const cluster = piece.subarray(bit * CLUSTER, (bit + 1) * CLUSTER);
      if ((used & (1 << bit)) === 0 && !cluster.equals(zero)) found += CLUSTER;
    }
  }
  await partition.close();
  return found;
}

describe('the small sample disk', () => {
  it('has the promised sizes', () => {
    expect(disk).toMatchObject({ format: 'raw', virtualBytes: 600 * MIB });
    expect(disk.liveBytes).toBeGreaterThanOrEqual(28 * MIB);
    expect(disk.garbageBytes).toBeGreaterThanOrEqual(8 * MIB);
  });

  it('has a sound partition table: EFI, reserved and Windows partitions', async () => {
    expect(await runTool('sgdisk', ['-v', disk.path])).toContain('No problems found');
    const table = await runTool('sgdisk', ['-p', disk.path]);
    expect(table.match(/ (EF00|0C01|0700) /g)).toEqual([' EF00 ', ' 0C01 ', ' 0700 ']);
  });

  it('has a consistent NTFS whose used space fits its files', async () => {
    const report = await runTool('ntfsresize', ['-f', '--info', inside('ntfs')]);
    expect(report).toContain('You might resize at');
    const used = Number(/You might resize at (\d+) bytes/.exec(report)?.[1]);
    expect(used).toBeGreaterThan(disk.liveBytes);
    expect(used).toBeLessThan(disk.liveBytes + 8 * MIB);
  });

  it('has the folders of a Windows installation, and none of the deleted files', async () => {
    const list = (folder: string): Promise<string> => runTool('ntfsls', ['-f', '-p', folder, inside('ntfs')]);
    expect(await list('/')).toMatch(/^pagefile\.sys$/m);
    expect((await list('/')).split('\n')).toEqual(
      expect.arrayContaining(['Windows', 'ProgramData', 'Program Files', 'Users']),
    );
    expect((await list('Windows/System32/drivers')).split('\n')).toEqual(
      expect.arrayContaining(['vmbus.sys', 'storvsc.sys', 'pvscsi.sys']),
    );
    expect((await list('Windows/System32/config')).split('\n')).toEqual(
      expect.arrayContaining(['SYSTEM', 'SOFTWARE', 'SAM', 'SECURITY', 'DEFAULT']),
    );
    expect(await list('Users')).toContain('Jürgen Müller');
    expect(await list('Users/Administrator/Downloads')).not.toContain('.iso');
  });

  it('holds at least as many bytes of garbage in free clusters as were deleted', async () => {
    expect(await garbage()).toBeGreaterThanOrEqual(disk.garbageBytes);
  });

  it('has hives that hivex reads', async () => {
    const ask = async (hive: string, commands: string): Promise<string> => {
      const file = inside(hive);
      await writeFile(file, fileOf(`Windows/System32/config/${hive}`));
      return runTool('hivexsh', [file], { input: commands });
    };
    expect(await ask('SYSTEM', 'cd Select\nlsval Current\n')).toContain('1');
    expect(await ask('SYSTEM', 'cd ControlSet001\\Services\nls\n')).toContain('storvsc');
    expect(await ask('SOFTWARE', 'cd Microsoft\\Windows NT\\CurrentVersion\nlsval ProductName\n')).toContain(
      'Windows 10 Enterprise',
    );
  });

  it('has an EFI partition with loaders and a boot configuration', async () => {
    const image = `${disk.path}@@${disk.partitions.esp.offset}`;
    const boot = await runTool('mdir', ['-b', '-i', image, '::EFI/Microsoft/Boot', '::EFI/BOOT']);
    expect(boot.trim().split('\n').sort()).toEqual([
      '::/EFI/BOOT/BOOTX64.EFI',
      '::/EFI/Microsoft/Boot/BCD',
      '::/EFI/Microsoft/Boot/bootmgfw.efi',
    ]);
    await runTool('mcopy', ['-i', image, '::EFI/Microsoft/Boot/BCD', inside('BCD')]);
    expect(await runTool('hivexsh', [inside('BCD')], { input: 'ls\n' })).toContain('Objects');
  });
});
