import { describe, expect, it } from '@jest/globals';
import { MappedDisk } from '../../../src/disk/mapped-disk.ts';
import { openDisk } from '../../../src/disk/open.ts';
import { RawDisk } from '../../../src/disk/raw.ts';
import { MIB } from '../../../src/disk/units.ts';
import { verifyDisk } from '../../../src/disk/verify.ts';
import type { Target } from './export.ts';
import { exportBytes, verifyAccess } from './export.ts';
import { MemoryAccess } from './memory-access.ts';
import { chance, rawBytes } from './sample.ts';

// The last block of the copy, and of the VHDX, is short, so the file has padding; two blocks are zeros.
const SIZE = 17 * MIB + 512;
const SOURCE = rawBytes(SIZE, [
  { offset: 0, length: 6 * MIB },
  { offset: SIZE - 512, length: 512 },
]);

describe('verification', () => {
  it.each<Target>(['vhdx', 'vhd'])('finds one changed byte anywhere in a %s', async (format) => {
    const target = new MemoryAccess();
    const result = await exportBytes(new MemoryAccess(SOURCE), format, target);
    await verifyAccess(target, format, result);

    const random = chance(11);
    // The places where the structures are, and some by chance.
    const structures = [0, 8, 600, 65536, 65600, 131072, 196608, 196624, 262144, 400000, MIB, 2 * MIB, 2 * MIB + 65536];
    const places = [...structures, 3 * MIB, 3 * MIB + 7, 4 * MIB - 1, 4 * MIB, target.size - 513, target.size - 1];
    for (let count = 0; count < 30; count++) {
      places.push(Math.floor(random() * target.size));
    }
    for (const at of places.map((place) => Math.min(place, target.size - 1))) {
      const bit = 1 << Math.floor(random() * 8);
      target.bytes[at] = (target.bytes[at] as number) ^ bit;
      const verdict = await verifyAccess(target, format, result).then(
        () => `byte ${at} was not missed`,
        (error: { code: string }) => error.code,
      );
      expect(verdict).toMatch(/^(SEAL_MISMATCH|CONTENT_MISMATCH|VHDX?_)/);
      target.bytes[at] = (target.bytes[at] as number) ^ bit;
    }
    await verifyAccess(target, format, result);
  });

  it('names the first block that differs', async () => {
    const target = new MemoryAccess();
    const result = await exportBytes(new MemoryAccess(SOURCE), 'vhd', target);
    for (const at of [SIZE - 1, 4 * MIB + 1]) {
      target.bytes[at] = (target.bytes[at] as number) ^ 1;
    }
    const disk = await openDisk(target, 'vhd');
    const first = { code: 'CONTENT_MISMATCH', offset: 4 * MIB, message: expect.stringContaining('block 1 ') };
    await expect(verifyDisk(disk, result)).rejects.toMatchObject(first);
  });

  it('finds data where zeros were written, and zeros where data was', async () => {
    const result = await exportBytes(new MemoryAccess(SOURCE), 'vhd', new MemoryAccess());
    const zeros = await openDisk(new MemoryAccess(Buffer.alloc(SIZE)), 'raw');
    await expect(verifyDisk(zeros, result)).rejects.toMatchObject({ code: 'CONTENT_MISMATCH', offset: 0 });
    const more = Buffer.from(SOURCE);
    more[12 * MIB] = 1;
    const disk = await openDisk(new MemoryAccess(more), 'raw');
    await expect(verifyDisk(disk, result)).rejects.toMatchObject({ code: 'CONTENT_MISMATCH', offset: 12 * MIB });
  });

  it('finds data that is missing at the end, where nothing is read', async () => {
    const result = await exportBytes(new MemoryAccess(SOURCE), 'vhd', new MemoryAccess());
    const disk = new MappedDisk(new RawDisk(new MemoryAccess(SOURCE)), [{ offset: 0, length: 12 * MIB }]);
    await expect(verifyDisk(disk, result)).rejects.toMatchObject({ code: 'CONTENT_MISMATCH', offset: 16 * MIB });
  });

  it('finds another length', async () => {
    const target = new MemoryAccess();
    const result = await exportBytes(new MemoryAccess(SOURCE), 'vhd', target);
    const disk = await openDisk(new MemoryAccess(SOURCE.subarray(0, -512)), 'raw');
    await expect(verifyDisk(disk, result)).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
    await target.write(target.size, Buffer.alloc(1));
    await expect(verifyAccess(target, 'vhd', result)).rejects.toMatchObject({ code: 'SEAL_MISMATCH' });
  });

  it('ends with the reason of its signal', async () => {
    const target = new MemoryAccess();
    const result = await exportBytes(new MemoryAccess(SOURCE), 'vhd', target);
    const disk = await openDisk(target, 'vhd');
    const controller = new AbortController();
    const verification = verifyDisk(disk, result, {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    });
    await expect(verification).rejects.toThrow('enough');
  });
});
