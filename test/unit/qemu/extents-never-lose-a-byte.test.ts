import { describe, expect, it } from '@jest/globals';
import { ExtentCollector } from '../../../providers/qemu/extent-collector.ts';

const MIB = 1024 * 1024;

describe('collected extents', () => {
  it('are whole mebibytes, and neighbours become one', () => {
    const collector = new ExtentCollector(100 * MIB);
    collector.add(0, 1);
    collector.add(MIB + 5, 10);
    collector.add(10 * MIB - 1, 2);
    expect(collector.finish()).toEqual({
      extents: [
        [0, 2 * MIB],
        [9 * MIB, 2 * MIB],
      ],
      bytes: 4 * MIB,
    });
  });

  it('end where the disk ends, also at an odd length', () => {
    const collector = new ExtentCollector(3 * MIB + 7);
    collector.add(3 * MIB, 512);
    expect(collector.finish()).toEqual({ extents: [[3 * MIB, 7]], bytes: 7 });
    const beyond = new ExtentCollector(MIB);
    beyond.add(2 * MIB, MIB);
    expect(beyond.finish()).toEqual({ extents: [], bytes: 0 });
  });

  it('grow coarser instead of more than the limit, and still hold every byte', () => {
    const collector = new ExtentCollector(1_000_000, { granule: 10, maxRanges: 50 });
    const added = Array.from({ length: 2_000 }, (_, index) => index * 500 + 3);
    for (const start of added) collector.add(start, 4);
    const { extents, bytes } = collector.finish();
    expect(extents.length).toBeLessThanOrEqual(50);
    for (const start of added) {
      expect(extents.some(([offset, length]) => offset <= start && start + 4 <= offset + length)).toBe(true);
    }
    extents.slice(1).forEach(([offset], index) => {
      const [before, length] = extents[index] ?? [0, 0];
      expect(offset).toBeGreaterThan(before + length);
    });
    expect(bytes).toBe(extents.reduce((sum, [, length]) => sum + length, 0));
  });
});
