/**
 * The one error class of the disk library: a stable code to branch on, a sentence for people, and the place in the file.
 *
 * Errors of the operating system (ENOSPC, EIO, EEXIST, …) are passed on as Node made them: their `code` is already stable.
 */
export type DiskErrorCode =
  /** The caller broke a rule of this library: a fault in the program, not in a file. */
  | 'MISUSE'
  /** The path is neither a regular file nor a block device. */
  | 'NOT_A_DISK'
  /** A read or write outside the file or the disk. */
  | 'OUT_OF_RANGE'
  /** The file ends before something that must be in it. */
  | 'TRUNCATED'
  /** The format cannot carry a disk of this many bytes. */
  | 'SIZE_UNSUPPORTED'
  /** The allocation map is not in order, overlaps itself or leaves the disk. */
  | 'MAP_INVALID'
  | 'VHD_FOOTER_INVALID'
  | 'VHD_TYPE_UNSUPPORTED'
  | 'VHDX_SIGNATURE_INVALID'
  | 'VHDX_HEADER_INVALID'
  /** The log holds changes that are not yet in the file: whoever wrote it must replay it first. */
  | 'VHDX_LOG_NOT_EMPTY'
  | 'VHDX_REGION_INVALID'
  | 'VHDX_REGION_UNKNOWN'
  | 'VHDX_METADATA_INVALID'
  | 'VHDX_METADATA_UNKNOWN'
  | 'VHDX_DIFFERENCING'
  | 'VHDX_BAT_INVALID'
  /** Verification: the disk has another size than what was written. */
  | 'SIZE_MISMATCH'
  /** Verification: the disk reads back differently from what was written. */
  | 'CONTENT_MISMATCH'
  /** Verification: the file's own structures read back differently from what was written. */
  | 'SEAL_MISMATCH';

export interface DiskErrorPlace {
  /** Where, in bytes: in the file for a format's structures, in the disk for content. */
  offset?: number;
  /** The field, by the name that the format's specification gives it. */
  field?: string;
}

export class DiskError extends Error {
  readonly code: DiskErrorCode;
  readonly offset: number | undefined;
  readonly field: string | undefined;

  constructor(code: DiskErrorCode, message: string, place: DiskErrorPlace = {}) {
    super(`${message}${describe(place)}`);
    this.name = 'DiskError';
    this.code = code;
    this.offset = place.offset;
    this.field = place.field;
  }
}

function describe({ offset, field }: DiskErrorPlace): string {
  if (offset === undefined) {
    return field === undefined ? '' : ` (${field})`;
  }
  return field === undefined ? ` (at byte ${offset})` : ` (${field} at byte ${offset})`;
}
