import { describe, expect, it } from '@jest/globals';
import { copyDisk } from '../../../src/disk/copy.ts';
import { aWhile, ControlledDisk, ControlledWriter, eventually } from './controlled-disk.ts';

const never = () => new Promise<void>(() => undefined);

describe('a copy', () => {
  it('that is cancelled ends with the reason, also while a read hangs, and begins nothing more', async () => {
    const source = new ControlledDisk(20, (block) => (block === 3 ? never() : Promise.resolve()));
    const writer = new ControlledWriter(source.virtualSize);
    const controller = new AbortController();
    const copy = copyDisk({ source, writer, signal: controller.signal });
    await eventually(() => writer.bytesWritten === 3 * 4194304);
    controller.abort(new Error('cancelled by its owner'));
    await expect(copy).rejects.toThrow('cancelled by its owner');
    const reads = source.begun.length;
    await aWhile();
    expect(source.begun.length).toBe(reads);
    expect(writer.begun).toEqual([0, 1, 2]);
    expect(writer.finished).toBe(false);
  });

  it('that is cancelled while a write hangs does not write what was read ahead', async () => {
    const hanging = Promise.withResolvers<void>();
    const source = new ControlledDisk(20);
    const writer = new ControlledWriter(source.virtualSize, (block) =>
      block === 1 ? hanging.promise : Promise.resolve(),
    );
    const controller = new AbortController();
    const copy = copyDisk({ source, writer, signal: controller.signal });
    await eventually(() => writer.begun.length === 2);
    controller.abort();
    await expect(copy).rejects.toMatchObject({ name: 'AbortError' });
    hanging.resolve();
    await aWhile();
    expect(writer.begun).toEqual([0, 1]);
  });

  it('that was cancelled before it began reads nothing', async () => {
    const source = new ControlledDisk(2);
    const writer = new ControlledWriter(source.virtualSize);
    const copy = copyDisk({ source, writer, signal: AbortSignal.abort(new Error('too late')) });
    await expect(copy).rejects.toThrow('too late');
    expect(source.begun).toEqual([]);
  });

  it('whose target is full ends with that error', async () => {
    const source = new ControlledDisk(20);
    const writer = new ControlledWriter(source.virtualSize, async (block) => {
      if (block === 2) {
        throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      }
    });
    await expect(copyDisk({ source, writer })).rejects.toMatchObject({ code: 'ENOSPC' });
    await eventually(() => source.underWay === 0);
    await aWhile();
    expect(writer.begun).toEqual([0, 1, 2]);
    expect(writer.finished).toBe(false);
  });

  it('whose source cannot be read ends with that error', async () => {
    const source = new ControlledDisk(20, async (block) => {
      if (block === 5) {
        throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
      }
    });
    const writer = new ControlledWriter(source.virtualSize);
    await expect(copyDisk({ source, writer })).rejects.toMatchObject({ code: 'EIO' });
    await aWhile();
    expect(writer.finished).toBe(false);
    expect(Math.max(...writer.begun)).toBeLessThan(5);
  });

  it('whose source fails while a write hangs does not write what was read before', async () => {
    const hanging = Promise.withResolvers<void>();
    const source = new ControlledDisk(20, async (block) => {
      if (block === 5) {
        await eventually(() => writer.begun.length === 2);
        throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
      }
    });
    const writer: ControlledWriter = new ControlledWriter(source.virtualSize, (block) =>
      block === 1 ? hanging.promise : Promise.resolve(),
    );
    await expect(copyDisk({ source, writer })).rejects.toMatchObject({ code: 'EIO' });
    hanging.resolve();
    await aWhile();
    expect(writer.begun).toEqual([0, 1]);
  });

  it('tells its progress: what was read, skipped and written up to each place', async () => {
    const source = new ControlledDisk(3);
    const writer = new ControlledWriter(source.virtualSize);
    const seen: unknown[] = [];
    await copyDisk({ source, writer, onProgress: (progress) => seen.push(progress) });
    const at = (blocks: number) => blocks * 4194304;
    const total = at(3);
    expect(seen).toEqual(
      [1, 2, 3, 3].map((done) => ({
        position: at(done),
        total,
        bytesRead: at(done),
        bytesSkipped: 0,
        bytesWritten: at(done),
      })),
    );
  });
});
