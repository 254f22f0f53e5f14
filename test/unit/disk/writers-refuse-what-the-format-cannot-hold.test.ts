import { describe, expect, it } from '@jest/globals';
import { copyDisk } from '../../../src/disk/copy.ts';
import { RawDisk } from '../../../src/disk/raw.ts';
import { GIB, MIB, TIB } from '../../../src/disk/units.ts';
import { VhdFixedWriter } from '../../../src/disk/vhd/fixed-writer.ts';
import { VhdxWriter } from '../../../src/disk/vhdx/vhdx-writer.ts';
import { createWriter } from './export.ts';
import { MemoryAccess } from './memory-access.ts';
import { IDENTITY } from './sample.ts';

const vhdx = (virtualSize: number, more = {}) =>
  VhdxWriter.create(new MemoryAccess(), { virtualSize, identity: IDENTITY, ...more });
const vhd = (virtualSize: number, more = {}) =>
  VhdFixedWriter.create(new MemoryAccess(), { virtualSize, identity: IDENTITY, ...more });

describe('a writer', () => {
  it.each([
    { name: 'VHDX of no bytes', create: () => vhdx(0) },
    { name: 'VHDX of an odd length', create: () => vhdx(MIB + 1) },
    { name: 'VHDX of part of a sector', create: () => vhdx(MIB + 256) },
    { name: 'VHDX of more than 64 TiB', create: () => vhdx(64 * TIB + 512) },
    { name: 'VHDX of no number', create: () => vhdx(Number.NaN) },
    { name: 'VHD of no bytes', create: () => vhd(0) },
    { name: 'VHD of an odd length', create: () => vhd(MIB + 1) },
    { name: 'VHD of more than 2040 GiB', create: () => vhd(2040 * GIB + 512) },
  ])('refuses a $name', async ({ create }) => {
    await expect(create()).rejects.toMatchObject({ name: 'DiskError', code: 'SIZE_UNSUPPORTED' });
  });

  it.each([
    { name: 'VHDX block size', create: () => vhdx(MIB, { blockSize: 32 * MIB }) },
    { name: 'VHDX identity', create: () => vhdx(MIB, { identity: Buffer.alloc(15) }) },
    { name: 'VHD identity', create: () => vhd(MIB, { identity: Buffer.alloc(17) }) },
  ])('refuses a wrong $name as misuse', async ({ create }) => {
    await expect(create()).rejects.toMatchObject({ code: 'MISUSE' });
  });

  it.each(['vhd', 'vhdx'] as const)('of a %s refuses a file that is not empty', async (format) => {
    const used = new MemoryAccess(Buffer.alloc(1));
    await expect(createWriter(format, used, MIB)).rejects.toMatchObject({ code: 'MISUSE' });
    expect(used.size).toBe(1);
  });

  it.each(['vhd', 'vhdx'] as const)(
    'of a %s refuses writes that go back, leave the disk or split a grain',
    async (format) => {
      const writer = await createWriter(format, new MemoryAccess(), 8 * MIB + 512);
      await writer.writeBlock(2 * MIB, Buffer.alloc(2 * MIB, 1));
      const refused = { code: 'MISUSE' };
      await expect(writer.writeBlock(2 * MIB, Buffer.alloc(2 * MIB, 1))).rejects.toMatchObject(refused);
      await expect(writer.writeBlock(0, Buffer.alloc(2 * MIB, 1))).rejects.toMatchObject(refused);
      await expect(writer.writeBlock(4 * MIB + 512, Buffer.alloc(2 * MIB, 1))).rejects.toMatchObject(refused);
      await expect(writer.writeBlock(4 * MIB, Buffer.alloc(512, 1))).rejects.toMatchObject(refused);
      await expect(writer.writeBlock(8 * MIB, Buffer.alloc(2 * MIB, 1))).rejects.toMatchObject(refused);
      await writer.writeBlock(8 * MIB, Buffer.alloc(512, 1));
    },
  );

  it('of another length than the source is refused', async () => {
    const source = new RawDisk(new MemoryAccess(Buffer.alloc(MIB)));
    const writer = await createWriter('vhdx', new MemoryAccess(), 2 * MIB);
    await expect(copyDisk({ source, writer })).rejects.toMatchObject({ code: 'MISUSE' });
  });
});
