import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { openFile } from '../../../src/disk/file.ts';
import type { DiskFormat } from '../../../src/disk/open.ts';
import { openDisk } from '../../../src/disk/open.ts';
import { MIB } from '../../../src/disk/units.ts';
import { qemuImg } from './qemu-img.ts';
import { scattered, writeRaw } from './sample.ts';
import { inTemporaryFolder } from './temporary-folder.ts';

const size = 29 * MIB + 512;

const files: { format: DiskFormat; options: string[] }[] = [
  { format: 'vhdx', options: ['-O', 'vhdx'] },
  { format: 'vhdx', options: ['-O', 'vhdx', '-o', 'block_size=1M'] },
  { format: 'vhdx', options: ['-O', 'vhdx', '-o', 'block_size=64M'] },
  { format: 'vhdx', options: ['-O', 'vhdx', '-o', 'subformat=fixed'] },
  { format: 'vhdx', options: ['-O', 'vhdx', '-o', 'block_state_zero=off', '-S', '0'] },
  { format: 'vhd', options: ['-O', 'vpc', '-o', 'subformat=fixed,force_size=on'] },
];

describe('our reader', () => {
  it.each(files)('sees in a file made by qemu-img $options what the source holds', async ({ format, options }) => {
    await inTemporaryFolder(async (folder) => {
      const [raw, path] = [`${folder}/source.raw`, `${folder}/image`];
      await writeRaw(raw, size, scattered(size, 3));
      await qemuImg('convert', '-f', 'raw', ...options, raw, path);

      const access = await openFile(path);
      const disk = await openDisk(access, format);
      const expected = await readFile(raw);
      expect(disk.virtualSize).toBe(size);

      const whole = Buffer.alloc(size, 0xaa);
      await disk.read(0, whole);
      expect(whole.equals(expected)).toBe(true);

      // By its extents: in order, without gap, and what it calls zeros is zeros.
      let position = 0;
      for await (const extent of disk.extents()) {
        expect(extent.offset).toBe(position);
        position += extent.length;
        if (extent.kind === 'zero') {
          expect(expected.subarray(extent.offset, position).equals(Buffer.alloc(extent.length))).toBe(true);
        }
      }
      expect(position).toBe(size);
      await disk.close();
    });
  });
});
