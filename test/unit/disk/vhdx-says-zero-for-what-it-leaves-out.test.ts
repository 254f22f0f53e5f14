import { describe, expect, it } from '@jest/globals';
import { MIB } from '../../../src/disk/units.ts';
import { exportBytes } from './export.ts';
import { MemoryAccess } from './memory-access.ts';
import { rawBytes } from './sample.ts';

const TABLE = 3 * MIB;
const ZERO = 2;
const FULLY_PRESENT = 6;

describe('a VHDX that we wrote', () => {
  // [MS-VHDX] 2.5.1.1: a block that is merely "not present" may be read as anything.
  it('has an entry "zero" for each block of zeros, and consecutive places for the others', async () => {
    const target = new MemoryAccess();
    const source = rawBytes(5 * MIB + 512, [
      { offset: MIB, length: 2 * MIB },
      { offset: 5 * MIB, length: 512 },
    ]);
    await exportBytes(new MemoryAccess(source), 'vhdx', target);
    const entries = [0, 1, 2, 3, 4, 5, 6].map((index) => target.bytes.readBigUInt64LE(TABLE + index * 8));
    const zero = BigInt(ZERO);
    const at = (place: number) => BigInt(place + FULLY_PRESENT);
    expect(entries).toEqual([zero, at(4 * MIB), at(5 * MIB), zero, zero, at(6 * MIB), 0n]);
    expect(target.size).toBe(7 * MIB);
  });
});
