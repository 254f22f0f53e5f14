/** The order that every `DiskWriter` asks for: ascending, in whole grains, within the disk. */
import { DiskError } from './error.ts';
import type { DiskWriter } from './writer.ts';

/**
 * Checks one write.
 * @param next where the write before it ended; bytes, as all parameters
 * @returns where this write ends
 * @throws DiskError MISUSE
 */
export function checkAscending(
  writer: Pick<DiskWriter, 'virtualSize' | 'grain'>,
  next: number,
  offset: number,
  length: number,
): number {
  const end = offset + length;
  if (offset < next || length === 0 || end > writer.virtualSize) {
    throw new DiskError('MISUSE', `${length} bytes are not within bytes ${next} to ${writer.virtualSize}`, { offset });
  }
  if (offset % writer.grain !== 0 || (end % writer.grain !== 0 && end !== writer.virtualSize)) {
    throw new DiskError('MISUSE', `${length} bytes are not whole grains of ${writer.grain} bytes`, { offset });
  }
  return end;
}
