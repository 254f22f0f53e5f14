import { describe, expect, it } from '@jest/globals';
import { openDisk } from '../../../src/disk/open.ts';
import { MIB } from '../../../src/disk/units.ts';
import type { Target } from './export.ts';
import { exportBytes } from './export.ts';
import type { Change } from './memory-access.ts';
import { MemoryAccess } from './memory-access.ts';
import { rawBytes } from './sample.ts';

const SIZE = 9 * MIB;
const SOURCE = rawBytes(SIZE, [
  { offset: 0, length: 512 },
  { offset: 5 * MIB, length: 3 * MIB },
]);

/**
 * What a power cut may leave: everything up to a flush is there; of what came after it, any part, in any order. Each write
 * after the last flush is tried as the only one that arrived, and as the only one that did not.
 */
function* tornFiles(changes: readonly Change[]): Generator<Buffer> {
  for (let upTo = 0; upTo < changes.length; upTo++) {
    const begun = changes.slice(0, upTo + 1);
    const flushed = begun.findLastIndex(({ kind }) => kind === 'flush') + 1;
    const [sure, unsure] = [begun.slice(0, flushed), begun.slice(flushed)];
    yield play([...sure, ...unsure.slice(0, -1)]);
    for (const alone of unsure) {
      yield play([...sure, alone]);
    }
    for (const missing of unsure) {
      const kept = unsure.filter((change) => change !== missing);
      yield play([...sure, ...kept]);
    }
  }
}

function play(changes: readonly Change[]): Buffer {
  const size = changes.reduce(
    (end, change) =>
      Math.max(end, change.kind === 'write' ? change.offset + change.bytes.length : 'size' in change ? change.size : 0),
    0,
  );
  const bytes = Buffer.alloc(size);
  for (const change of changes) {
    if (change.kind === 'write') {
      change.bytes.copy(bytes, change.offset);
    }
  }
  return bytes;
}

describe('a file torn while it was written', () => {
  it.each<Target>(['vhdx', 'vhd'])('is no valid %s, or is complete', async (format) => {
    const target = new MemoryAccess();
    await exportBytes(new MemoryAccess(SOURCE), format, target);
    let [refused, complete] = [0, 0];
    for (const bytes of tornFiles(target.changes)) {
      try {
        await openDisk(new MemoryAccess(bytes), format);
      } catch {
        refused++;
        continue;
      }
      expect(bytes.equals(target.bytes)).toBe(true);
      complete++;
    }
    expect(refused).toBeGreaterThan(10);
    expect(complete).toBeGreaterThan(0);
  });

  it('is written in order: each byte of a VHDX once, its blocks ascending', async () => {
    const target = new MemoryAccess();
    const result = await exportBytes(new MemoryAccess(SOURCE), 'vhdx', target);
    const writes = target.changes.filter((change) => change.kind === 'write');
    const blocks = writes.filter(({ offset }) => offset >= 4 * MIB);
    expect(blocks.map(({ offset }) => offset)).toEqual(blocks.map(({ offset }) => offset).sort((a, b) => a - b));
    expect(writes.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBe(target.size);
    expect(result.bytesWritten).toBe(target.size);
  });
});
