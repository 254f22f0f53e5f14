/** The two headers of a VHDX, of which the valid one with the higher sequence number counts: [MS-VHDX] 2.2.2. */
import type { RandomAccess } from '../access.ts';
import { readStructure } from '../access.ts';
import { crc32c } from '../crc32c.ts';
import { DiskError } from '../error.ts';
import { GUID_LENGTH } from '../guid.ts';
import { isZero } from '../zero.ts';
import { FILE_IDENTIFIER_AT, FILE_SIGNATURE, HEADER_LENGTH, HEADER_PLACES, HEADER_SECTION_LENGTH } from './layout.ts';

const SIGNATURE = 'head';
const CHECKSUM_AT = 4;
const VERSION = 1;

export interface VhdxHeader {
  readonly sequenceNumber: bigint;
  /** Changes when anything in the file is changed. */
  readonly fileWriteGuid: Buffer;
  /** Changes when what a machine can see is changed. */
  readonly dataWriteGuid: Buffer;
  /** All zeros: the log holds nothing that must be replayed. */
  readonly logGuid: Buffer;
  /** Place of the log, bytes. */
  readonly logOffset: number;
  readonly logLength: number;
}

/** A header whose log is empty, 4 KiB. */
export function headerBytes(header: Omit<VhdxHeader, 'logGuid'>): Buffer {
  const bytes = Buffer.alloc(HEADER_LENGTH);
  bytes.write(SIGNATURE, 0, 'latin1');
  bytes.writeBigUInt64LE(header.sequenceNumber, 8);
  header.fileWriteGuid.copy(bytes, 16);
  header.dataWriteGuid.copy(bytes, 32);
  bytes.writeUInt16LE(VERSION, 66);
  bytes.writeUInt32LE(header.logLength, 68);
  bytes.writeBigUInt64LE(BigInt(header.logOffset), 72);
  return sealed(bytes);
}

/** Puts the CRC-32C into a structure that has it at byte 4 and counts it as zero: headers and region tables. */
export function sealed(structure: Buffer): Buffer {
  structure.writeUInt32LE(0, CHECKSUM_AT);
  structure.writeUInt32LE(crc32c(structure), CHECKSUM_AT);
  return structure;
}

/** Whether a structure has its signature and its checksum. */
export function isIntact(structure: Buffer, signature: string): boolean {
  if (structure.toString('latin1', 0, signature.length) !== signature) {
    return false;
  }
  const expected = structure.readUInt32LE(CHECKSUM_AT);
  const copy = Buffer.from(structure);
  copy.writeUInt32LE(0, CHECKSUM_AT);
  return crc32c(copy) === expected;
}

/** @throws DiskError TRUNCATED, VHDX_SIGNATURE_INVALID */
export async function checkFileIdentifier(access: RandomAccess): Promise<void> {
  const bytes = await readStructure(access, FILE_IDENTIFIER_AT, FILE_SIGNATURE.length, 'file type identifier');
  if (bytes.toString('latin1') !== FILE_SIGNATURE) {
    throw new DiskError('VHDX_SIGNATURE_INVALID', `the file does not start with "${FILE_SIGNATURE}"`, {
      field: 'Signature',
      offset: FILE_IDENTIFIER_AT,
    });
  }
}

/**
 * Reads the current header.
 * @throws DiskError TRUNCATED, VHDX_HEADER_INVALID, VHDX_LOG_NOT_EMPTY
 */
export async function readHeader(access: RandomAccess): Promise<VhdxHeader> {
  const [first, second] = [
    await readStructure(access, HEADER_PLACES[0], HEADER_LENGTH, 'first header'),
    await readStructure(access, HEADER_PLACES[1], HEADER_LENGTH, 'second header'),
  ];
  const { header, place } = currentHeader(first, second);
  if (!isZero(header.logGuid)) {
    throw new DiskError('VHDX_LOG_NOT_EMPTY', 'the log holds changes that were not written back', {
      field: 'LogGuid',
      offset: place + 48,
    });
  }
  if (header.logLength > 0) {
    checkPlacement(header.logOffset, header.logLength, access.size, (message) => {
      return new DiskError('VHDX_HEADER_INVALID', `the log ${message}`, { field: 'LogOffset', offset: place + 72 });
    });
  }
  return header;
}

/**
 * The rule for logs and regions: whole MiB, behind the header section, inside the file.
 * @throws what `fail` makes of the broken rule
 */
export function checkPlacement(
  offset: number,
  length: number,
  fileSize: number,
  fail: (message: string) => DiskError,
): void {
  if (offset % HEADER_SECTION_LENGTH !== 0 || length % HEADER_SECTION_LENGTH !== 0) {
    throw fail(`of ${length} bytes at ${offset} is not in whole MiB`);
  }
  if (offset < HEADER_SECTION_LENGTH || length === 0 || offset + length > fileSize) {
    throw fail(`of ${length} bytes at ${offset} is not within the file's ${fileSize} bytes behind the header section`);
  }
}

function currentHeader(first: Buffer, second: Buffer): { header: VhdxHeader; place: number } {
  const candidates = [
    { header: parse(first), place: HEADER_PLACES[0] },
    { header: parse(second), place: HEADER_PLACES[1] },
  ].filter((candidate): candidate is { header: VhdxHeader; place: 65536 | 131072 } => candidate.header !== undefined);
  const [one, other] = candidates;
  if (one === undefined) {
    throw new DiskError('VHDX_HEADER_INVALID', 'neither header has its signature, checksum and version', {
      field: 'Signature',
      offset: HEADER_PLACES[0],
    });
  }
  if (other === undefined || one.header.sequenceNumber > other.header.sequenceNumber) {
    return one;
  }
  // Equal numbers are illegal, but Disk2vhd writes the same header twice; qemu lets that pass too.
  if (one.header.sequenceNumber === other.header.sequenceNumber && !first.equals(second)) {
    throw new DiskError('VHDX_HEADER_INVALID', 'both headers claim to be the current one', {
      field: 'SequenceNumber',
      offset: HEADER_PLACES[0] + 8,
    });
  }
  return other;
}

/** Undefined when this copy is not valid: a torn header update leaves one such, and the other counts. */
function parse(bytes: Buffer): VhdxHeader | undefined {
  if (!isIntact(bytes, SIGNATURE) || bytes.readUInt16LE(66) !== VERSION || bytes.readUInt16LE(64) !== 0) {
    return undefined;
  }
  return {
    sequenceNumber: bytes.readBigUInt64LE(8),
    fileWriteGuid: bytes.subarray(16, 16 + GUID_LENGTH),
    dataWriteGuid: bytes.subarray(32, 32 + GUID_LENGTH),
    logGuid: bytes.subarray(48, 48 + GUID_LENGTH),
    logLength: bytes.readUInt32LE(68),
    logOffset: Number(bytes.readBigUInt64LE(72)),
  };
}
