/**
 * Which MiB of a VHDX file is already somebody's: everything in such a file is placed in whole MiB, so one bit each finds
 * any overlap, whoever made it, in memory that depends on the file's length only.
 */
import { DiskError } from '../error.ts';
import { MIB, TIB } from '../units.ts';

/** A full disk of the largest size with its tables is well below this. It bounds the bits to 16 MiB. */
const MAX_FILE_SIZE = 128 * TIB;

export class Occupancy {
  readonly #bits: Uint8Array;

  /**
   * @param fileSize bytes
   * @throws DiskError SIZE_UNSUPPORTED
   */
  constructor(fileSize: number) {
    if (fileSize > MAX_FILE_SIZE) {
      throw new DiskError('SIZE_UNSUPPORTED', `a VHDX file of ${fileSize} bytes is larger than any disk needs`);
    }
    this.#bits = new Uint8Array(Math.ceil(fileSize / MIB / 8));
  }

  /** Takes a range of whole MiB; false when part of it is taken already. What lies behind the file's end is not counted. */
  claim(offset: number, length: number): boolean {
    const end = Math.min((offset + length) / MIB, this.#bits.length * 8);
    for (let index = offset / MIB; index < end; index++) {
      const byte = this.#bits[index >>> 3] as number;
      const bit = 1 << (index & 7);
      if ((byte & bit) !== 0) {
        return false;
      }
      this.#bits[index >>> 3] = byte | bit;
    }
    return true;
  }
}
