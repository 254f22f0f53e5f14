/**
 * Writes a fixed VHD of exactly the disk's length, never rounded to a geometry: its bytes, then 512 bytes of footer.
 *
 * The file gets its full length at the start and zeros are not sent: the server fills what is skipped with zeros. It is
 * never made sparse (no hole is punched, no sparse attribute set), a full NTFS volume refuses at once, and a file torn
 * before `finish()` ends in zeros instead of a footer.
 */
import { createHash } from 'node:crypto';
import type { WritableAccess } from '../access.ts';
import { checkAscending } from '../ascending.ts';
import { DiskError } from '../error.ts';
import { deriveGuid } from '../guid.ts';
import { MIB } from '../units.ts';
import type { DiskWriter, FileSeal } from '../writer.ts';
import { checkVhdSize, FOOTER_LENGTH, fixedFooter } from './footer.ts';

export interface VhdFixedOptions {
  /** Length of the disk, bytes. */
  virtualSize: number;
  /** 16 bytes that name this file among all files; the Unique Id comes from it (`vhdUniqueId`). */
  identity: Buffer;
}

/** The Unique Id that a fixed VHD written with this seed carries, 16 bytes. */
export function vhdUniqueId(identity: Buffer): Buffer {
  return deriveGuid(identity, 'vhd-unique-id');
}

export class VhdFixedWriter implements DiskWriter {
  readonly virtualSize: number;
  readonly grain = MIB;
  readonly #access: WritableAccess;
  readonly #uniqueId: Buffer;
  #next = 0;
  #bytesWritten = 0;

  private constructor(access: WritableAccess, options: VhdFixedOptions) {
    this.#access = access;
    this.virtualSize = options.virtualSize;
    this.#uniqueId = vhdUniqueId(options.identity);
  }

  /**
   * @param access an empty file; the caller closes it after `finish()`
   * @throws DiskError SIZE_UNSUPPORTED, MISUSE; the system's error
   */
  static async create(access: WritableAccess, options: VhdFixedOptions): Promise<VhdFixedWriter> {
    checkVhdSize(options.virtualSize);
    if (access.size !== 0) {
      throw new DiskError('MISUSE', `a disk is written into an empty file, not one of ${access.size} bytes`);
    }
    const writer = new VhdFixedWriter(access, options);
    await access.truncate(options.virtualSize + FOOTER_LENGTH);
    return writer;
  }

  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  async writeBlock(offset: number, data: Buffer): Promise<void> {
    this.#next = checkAscending(this, this.#next, offset, data.length);
    await this.#write(offset, data);
  }

  async finish(): Promise<FileSeal> {
    await this.#access.flush();
    const footer = fixedFooter({ currentSize: this.virtualSize, uniqueId: this.#uniqueId });
    await this.#write(this.virtualSize, footer);
    await this.#access.flush();
    const sha256 = createHash('sha256').update(footer).digest('hex');
    return {
      fileSize: this.virtualSize + FOOTER_LENGTH,
      ranges: [{ offset: this.virtualSize, length: FOOTER_LENGTH, sha256, field: 'footer' }],
    };
  }

  async #write(offset: number, data: Buffer): Promise<void> {
    await this.#access.write(offset, data);
    this.#bytesWritten += data.length;
  }
}
