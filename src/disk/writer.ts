/**
 * What puts a disk into a file. A writer takes data in ascending order and nothing for zeros, and writes the structures
 * that make the file valid last: a file torn anywhere before the end of `finish()` does not pass for a disk.
 */
export interface DiskWriter {
  /** Length of the disk, bytes. */
  readonly virtualSize: number;
  /** The unit in which zeros can be left out, bytes: a power of two, 1 to 4 MiB. */
  readonly grain: number;
  /** Bytes put into the file until now, the format's own structures and padding included. */
  readonly bytesWritten: number;
  /**
   * Writes data at `offset` of the disk. Offsets ascend and are multiples of `grain`, lengths too, except where the disk ends.
   * The buffer is the writer's until the promise is settled.
   * @throws DiskError MISUSE when the order or the alignment is broken; the system's error
   */
  writeBlock(offset: number, data: Buffer): Promise<void>;
  /** Writes the structures, durably. The file is valid when this returns. */
  finish(): Promise<FileSeal>;
}

/** What `finish()` says must be found when the file is read back, beside the disk's own bytes. */
export interface FileSeal {
  /** Bytes. */
  readonly fileSize: number;
  readonly ranges: readonly SealedRange[];
}

export interface SealedRange {
  /** Place in the file, bytes. */
  readonly offset: number;
  readonly length: number;
  /** SHA-256 of these bytes of the file, hexadecimal. */
  readonly sha256: string;
  /** What lies there, for an error message. */
  readonly field: string;
}
