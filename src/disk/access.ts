/**
 * Bytes at offsets: what every format reads from and writes to. A file is one (`file.ts`), a buffer in a test another.
 *
 * Calls may overlap. Whoever opened an access closes it, unless it was handed to a `Disk`, which closes it.
 */
import { DiskError } from './error.ts';

export interface RandomAccess {
  /** Length in bytes. */
  readonly size: number;
  /**
   * Fills the whole buffer from `offset` (bytes).
   * @throws DiskError OUT_OF_RANGE or TRUNCATED, or the system's error
   */
  read(offset: number, buffer: Buffer): Promise<void>;
  /** Waits for what is under way, then lets go. */
  close(): Promise<void>;
}

export interface WritableAccess extends RandomAccess {
  /** Writes the whole buffer at `offset` (bytes), growing the file if it ends before. */
  write(offset: number, buffer: Buffer): Promise<void>;
  /** Sets the length (bytes); what is added reads as zeros. */
  truncate(size: number): Promise<void>;
  /** Returns when all that was written before is on stable storage. */
  flush(): Promise<void>;
}

/**
 * Reads one structure of a file's format.
 * @throws DiskError TRUNCATED naming `field` when the file ends before it does
 */
export async function readStructure(
  access: RandomAccess,
  offset: number,
  length: number,
  field: string,
): Promise<Buffer> {
  if (offset + length > access.size) {
    throw new DiskError('TRUNCATED', `the file has ${access.size} bytes and ends inside its ${field}`, {
      offset,
      field,
    });
  }
  const buffer = Buffer.allocUnsafe(length);
  await access.read(offset, buffer);
  return buffer;
}

/** @throws DiskError OUT_OF_RANGE unless offset and length lie within `size`; all in bytes */
export function checkRange(offset: number, length: number, size: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0 || offset + length > size) {
    throw new DiskError('OUT_OF_RANGE', `${length} bytes are not within the ${size} bytes there are`, { offset });
  }
}
