/**
 * A disk: a fixed number of bytes, of which some ranges are known to be zeros. The formats give one each; wrappers
 * (`mapped-disk.ts`) take one and give one.
 */
export interface Extent {
  /** Where it starts on the disk, bytes. */
  readonly offset: number;
  /** Its length, bytes, above zero. */
  readonly length: number;
  /** `zero`: reads as zeros, known without reading. `data`: anything, zeros too. */
  readonly kind: 'data' | 'zero';
}

export interface Disk {
  /** What a machine would see as the disk's length, bytes. */
  readonly virtualSize: number;
  /** The whole disk from its first to its last byte, ascending, without gap or overlap. */
  extents(): AsyncIterable<Extent>;
  /**
   * Fills the whole buffer from `offset` (bytes); zero extents cost no input.
   * @throws DiskError OUT_OF_RANGE, TRUNCATED
   */
  read(offset: number, buffer: Buffer): Promise<void>;
  /** Closes what the disk was opened on. */
  close(): Promise<void>;
}
