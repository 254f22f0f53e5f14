import { stat } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { GIB, MIB, TIB } from '../../../src/disk/units.ts';
import { exportFile, verifyFile } from './export.ts';
import { check, compare, sector, virtualSize } from './qemu-img.ts';
import { noise, scattered, writeRaw } from './sample.ts';
import { inTemporaryFolder } from './temporary-folder.ts';

const sizes = [
  { name: 'a single sector', size: 512 },
  { name: 'one MiB', size: MIB },
  { name: 'whole copy blocks', size: 32 * MIB },
  { name: 'a last copy block that is short', size: 43 * MIB },
  { name: 'a last VHDX block that is short, not whole MiB', size: 29 * MIB + 512 },
  { name: 'blocks of 2 MiB', size: 29 * MIB + 512, more: { blockSize: 2 * MIB } },
  { name: 'blocks of 4 MiB', size: 29 * MIB + 512, more: { blockSize: 4 * MIB } },
];

describe('a VHDX that we wrote', () => {
  it.each(sizes)('equals its source by qemu-img and by our reader: $name', async ({ size, more }) => {
    await inTemporaryFolder(async (folder) => {
      const [raw, vhdx] = [`${folder}/source.raw`, `${folder}/target.vhdx`];
      const ranges = scattered(size, size);
      await writeRaw(raw, size, ranges);
      const result = await exportFile(raw, ranges, 'vhdx', vhdx, more);

      expect(await virtualSize('vhdx', vhdx)).toBe(size);
      await check('vhdx', vhdx);
      await compare('vhdx', vhdx, raw);
      await verifyFile(vhdx, 'vhdx', result);
    });
  });

  it('of more than 2 TiB has tables that qemu-img finds right', async () => {
    await inTemporaryFolder(async (folder) => {
      const [raw, vhdx] = [`${folder}/source.raw`, `${folder}/target.vhdx`];
      const size = 2 * TIB + 5 * MIB;
      // Both sides of the places where 4 GiB end: there an entry for a sector bitmap stands in the table.
      const places = [0, 4 * GIB - 512, 4 * GIB, size - 512];
      await writeRaw(
        raw,
        size,
        places.map((offset) => ({ offset, length: 512 })),
      );
      const result = await exportFile(
        raw,
        places.map((offset) => ({ offset, length: 512 })),
        'vhdx',
        vhdx,
      );

      expect(await virtualSize('vhdx', vhdx)).toBe(size);
      await check('vhdx', vhdx);
      for (const offset of places) {
        expect(await sector('vhdx', vhdx, offset, `${folder}/sector`)).toEqual(noise(512, offset + 1));
      }
      expect(await sector('vhdx', vhdx, 4 * GIB + 2 * MIB, `${folder}/sector`)).toEqual(Buffer.alloc(512));
      await verifyFile(vhdx, 'vhdx', result);
    });
  });

  it('has no hole: what is in the file was written', async () => {
    await inTemporaryFolder(async (folder) => {
      const [raw, vhdx] = [`${folder}/source.raw`, `${folder}/target.vhdx`];
      const ranges = scattered(29 * MIB + 512, 7);
      await writeRaw(raw, 29 * MIB + 512, ranges);
      const result = await exportFile(raw, ranges, 'vhdx', vhdx);

      const { blocks, size } = await stat(vhdx);
      expect(blocks * 512).toBeGreaterThanOrEqual(size);
      expect(result.bytesWritten).toBe(size);
    });
  });
});
