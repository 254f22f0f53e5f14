import { stat } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { GIB, MIB } from '../../../src/disk/units.ts';
import { exportFile, verifyFile } from './export.ts';
import { compare, virtualSize } from './qemu-img.ts';
import { scattered, writeRaw } from './sample.ts';
import { inTemporaryFolder } from './temporary-folder.ts';

const sizes = [
  { name: 'a single sector', size: 512 },
  { name: 'one MiB', size: MIB },
  { name: 'not a multiple of a copy block', size: 43 * MIB },
  { name: 'no multiple of any geometry', size: 29 * MIB + 512 },
];

describe('a fixed VHD that we wrote', () => {
  it.each(sizes)('has exactly the length and the bytes of its source: $name', async ({ size }) => {
    await inTemporaryFolder(async (folder) => {
      const [raw, vhd] = [`${folder}/source.raw`, `${folder}/target.vhd`];
      const ranges = scattered(size, size);
      await writeRaw(raw, size, ranges);
      const result = await exportFile(raw, ranges, 'vhd', vhd);

      expect((await stat(vhd)).size).toBe(size + 512);
      expect(await virtualSize('vpc', vhd)).toBe(size);
      await compare('vpc', vhd, raw);
      await verifyFile(vhd, 'vhd', result);
    });
  });

  it('of the largest size is opened by qemu-img', async () => {
    await inTemporaryFolder(async (folder) => {
      const [raw, vhd] = [`${folder}/source.raw`, `${folder}/target.vhd`];
      const size = 2040 * GIB;
      const ranges = [
        { offset: 0, length: 512 },
        { offset: size - 512, length: 512 },
      ];
      await writeRaw(raw, size, ranges);
      await exportFile(raw, ranges, 'vhd', vhd);
      expect(await virtualSize('vpc', vhd)).toBe(size);
    });
  });
});
