import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { copyDisk } from '../../../src/disk/copy.ts';
import { DiskError } from '../../../src/disk/error.ts';
import { MappedDisk } from '../../../src/disk/mapped-disk.ts';
import { RawDisk } from '../../../src/disk/raw.ts';
import { MIB } from '../../../src/disk/units.ts';
import { VhdxDisk } from '../../../src/disk/vhdx/vhdx-disk.ts';
import { createWriter } from './export.ts';
import { MemoryAccess } from './memory-access.ts';
import { noise } from './sample.ts';

const SIZE = 21 * MIB;
const MAP = [
  { offset: 512, length: 1024 },
  { offset: 1536, length: 512 }, // touches the one before: one range
  { offset: 4 * MIB - 512, length: 1024 }, // on both sides of a copy block's end
  { offset: 20 * MIB, length: MIB }, // to the last byte
];

const FIRST = { offset: 0, length: 1024 };

describe('an allocation map', () => {
  it('is what is read, no more; the rest are zeros, and the counts agree', async () => {
    const garbage = noise(SIZE, 5);
    const source = new MemoryAccess(garbage);
    const target = new MemoryAccess();
    const disk = new MappedDisk(new RawDisk(source), MAP);
    const result = await copyDisk({ source: disk, writer: await createWriter('vhdx', target, SIZE) });

    const expected = Buffer.alloc(SIZE);
    for (const { offset, length } of MAP) {
      garbage.copy(expected, offset, offset, offset + length);
    }
    const copy = Buffer.alloc(SIZE);
    await (await VhdxDisk.open(target)).read(0, copy);
    expect(copy.equals(expected)).toBe(true);

    const mapped = MAP.reduce((sum, { length }) => sum + length, 0);
    expect(source.reads.reduce((sum, { length }) => sum + length, 0)).toBe(mapped);
    expect(result.bytesRead).toBe(mapped);
    expect(result.bytesSkipped).toBe(SIZE - mapped);
    expect(result.bytesWritten).toBe(target.size);
    const text = 'allocation-map/1 size=22020096 filter=none/1\n512 1536\n4193792 1024\n20971520 1048576\n';
    expect(result.allocationMap).toEqual({
      digest: createHash('sha256').update(text).digest('hex'),
      filterVersion: 'none/1',
    });
  });

  it('gives the same bytes wherever a read starts and ends', async () => {
    const garbage = noise(SIZE, 6);
    const disk = new MappedDisk(new RawDisk(new MemoryAccess(garbage)), MAP);
    const whole = Buffer.alloc(SIZE, 0xaa);
    await disk.read(0, whole);
    for (const start of [0, 511, 512, 1535, 1536, 2048, 2049, 4 * MIB - 513, 4 * MIB, 20 * MIB - 1, 20 * MIB + 7]) {
      for (const length of [1, 513, 1024, MIB - 7]) {
        const piece = Buffer.alloc(length, 0xaa);
        await disk.read(start, piece);
        expect(piece.equals(whole.subarray(start, start + length))).toBe(true);
      }
    }
  });

  it.each([
    { name: 'leaves the disk', ranges: [{ offset: SIZE - 512, length: 1024 }], at: SIZE - 512 },
    { name: 'is empty', ranges: [{ offset: 0, length: 0 }], at: 0 },
    { name: 'is negative', ranges: [{ offset: -512, length: 512 }], at: -512 },
    { name: 'is no number', ranges: [{ offset: Number.NaN, length: 512 }], at: Number.NaN },
    { name: 'overlaps', ranges: [FIRST, { offset: 512, length: 1024 }], at: 512 },
    { name: 'goes back', ranges: [{ offset: 2048, length: 512 }, FIRST], at: 0 },
  ])('that $name is refused', ({ ranges, at }) => {
    const open = () => new MappedDisk(new RawDisk(new MemoryAccess(Buffer.alloc(SIZE))), ranges);
    expect(open).toThrow(DiskError);
    expect(open).toThrow(expect.objectContaining({ code: 'MAP_INVALID', offset: at }));
  });
});
