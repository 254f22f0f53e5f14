import { describe, expect, it } from '@jest/globals';
import { copyDisk } from '../../../src/disk/copy.ts';
import { aWhile, ControlledDisk, ControlledWriter, eventually } from './controlled-disk.ts';

describe('a copy', () => {
  it('reads on while a write is under way, two at once, and no more than eight blocks', async () => {
    const firstWrite = Promise.withResolvers<void>();
    const source = new ControlledDisk(20);
    const writer = new ControlledWriter(source.virtualSize, (block) =>
      block === 0 ? firstWrite.promise : Promise.resolve(),
    );
    const copy = copyDisk({ source, writer });
    await eventually(() => source.begun.length >= 8 && source.underWay === 0);
    await aWhile();
    expect(writer.begun).toEqual([0]);
    expect(source.begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(source.mostUnderWay).toBe(2);

    firstWrite.resolve();
    const result = await copy;
    expect(result.bytesRead).toBe(source.virtualSize);
    expect(writer.begun).toEqual(Array.from({ length: 20 }, (_, block) => block));
  });

  it('writes in the order of the disk, whichever read is done first', async () => {
    const firstRead = Promise.withResolvers<void>();
    const source = new ControlledDisk(4, (block) => (block === 0 ? firstRead.promise : Promise.resolve()));
    const writer = new ControlledWriter(source.virtualSize);
    const copy = copyDisk({ source, writer });
    await eventually(() => source.begun.length === 4 && source.underWay === 1);
    await aWhile();
    expect(source.begun).toEqual([0, 1, 2, 3]);
    expect(writer.begun).toEqual([]);
    firstRead.resolve();
    await copy;
    expect(writer.begun).toEqual([0, 1, 2, 3]);
  });
});
