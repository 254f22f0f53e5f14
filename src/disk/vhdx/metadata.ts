/** The metadata region: the disk's length, its block size, its identifier. [MS-VHDX] 2.6. */
import type { RandomAccess } from '../access.ts';
import { readStructure } from '../access.ts';
import { DiskError } from '../error.ts';
import { GUID_LENGTH, guidText } from '../guid.ts';
import { isPowerOfTwo, KIB, MIB } from '../units.ts';
import {
  FILE_PARAMETERS,
  HAS_PARENT,
  LEAVE_BLOCK_ALLOCATED,
  LOGICAL_SECTOR_SIZE,
  MAX_BLOCK_SIZE,
  MAX_TABLE_ENTRIES,
  MAX_VIRTUAL_SIZE,
  METADATA_TABLE_LENGTH,
  MIN_BLOCK_SIZE,
  PARENT_LOCATOR,
  PHYSICAL_SECTOR_SIZE,
  VIRTUAL_DISK_ID,
  VIRTUAL_DISK_SIZE,
} from './layout.ts';
import type { Region } from './region-table.ts';

const SIGNATURE = 'metadata';
const ENTRY_LENGTH = 32;
const IS_USER = 1;
const IS_VIRTUAL_DISK = 2;
const IS_REQUIRED = 4;
const MAX_ITEM_LENGTH = MIB;

export interface VhdxMetadata {
  /** Bytes. */
  readonly virtualSize: number;
  readonly blockSize: number;
  readonly logicalSectorSize: number;
  readonly physicalSectorSize: number;
  /** Whether the file promises to keep room for every block. */
  readonly fixed: boolean;
  /** What SCSI's inquiry page 83 tells a machine: 16 bytes as they stand in the file. Survives later writes to the disk. */
  readonly virtualDiskId: Buffer;
}

/** One MiB: the table, then the items. */
export function metadataBytes(metadata: VhdxMetadata): Buffer {
  const parameters = Buffer.alloc(8);
  parameters.writeUInt32LE(metadata.blockSize, 0);
  parameters.writeUInt32LE(metadata.fixed ? LEAVE_BLOCK_ALLOCATED : 0, 4);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(metadata.virtualSize));
  const items = [
    { id: FILE_PARAMETERS, flags: IS_REQUIRED, value: parameters },
    { id: VIRTUAL_DISK_SIZE, flags: IS_REQUIRED | IS_VIRTUAL_DISK, value: size },
    { id: LOGICAL_SECTOR_SIZE, flags: IS_REQUIRED | IS_VIRTUAL_DISK, value: u32(metadata.logicalSectorSize) },
    { id: PHYSICAL_SECTOR_SIZE, flags: IS_REQUIRED | IS_VIRTUAL_DISK, value: u32(metadata.physicalSectorSize) },
    { id: VIRTUAL_DISK_ID, flags: IS_REQUIRED | IS_VIRTUAL_DISK, value: metadata.virtualDiskId },
  ];
  const bytes = Buffer.alloc(MIB);
  bytes.write(SIGNATURE, 0, 'latin1');
  bytes.writeUInt16LE(items.length, 10);
  let valueAt = METADATA_TABLE_LENGTH;
  items.forEach(({ id, flags, value }, index) => {
    const at = ENTRY_LENGTH + index * ENTRY_LENGTH;
    id.copy(bytes, at);
    bytes.writeUInt32LE(valueAt, at + 16);
    bytes.writeUInt32LE(value.length, at + 20);
    bytes.writeUInt32LE(flags, at + 24);
    value.copy(bytes, valueAt);
    valueAt += value.length;
  });
  return bytes;
}

/** @throws DiskError TRUNCATED, VHDX_METADATA_INVALID, VHDX_METADATA_UNKNOWN, VHDX_DIFFERENCING */
export async function readMetadata(access: RandomAccess, region: Region): Promise<VhdxMetadata> {
  const items = await readItems(access, region);
  const parameters = items.take(FILE_PARAMETERS, 'File Parameters', 8);
  const blockSize = parameters.bytes.readUInt32LE(0);
  const flags = parameters.bytes.readUInt32LE(4);
  if ((flags & HAS_PARENT) !== 0) {
    throw new DiskError('VHDX_DIFFERENCING', 'the file holds only the differences to a parent', {
      field: 'HasParent',
      offset: parameters.at + 4,
    });
  }
  if (!isPowerOfTwo(blockSize) || blockSize < MIN_BLOCK_SIZE || blockSize > MAX_BLOCK_SIZE) {
    throw invalid(`${blockSize} bytes are no block size`, 'BlockSize', parameters.at);
  }
  const logical = items.take(LOGICAL_SECTOR_SIZE, 'Logical Sector Size', 4);
  const logicalSectorSize = logical.bytes.readUInt32LE(0);
  if (logicalSectorSize !== 512 && logicalSectorSize !== 4 * KIB) {
    throw invalid(`${logicalSectorSize} bytes are no sector size`, 'LogicalSectorSize', logical.at);
  }
  const physical = items.take(PHYSICAL_SECTOR_SIZE, 'Physical Sector Size', 4);
  const physicalSectorSize = physical.bytes.readUInt32LE(0);
  if (physicalSectorSize !== 512 && physicalSectorSize !== 4 * KIB) {
    throw invalid(`${physicalSectorSize} bytes are no sector size`, 'PhysicalSectorSize', physical.at);
  }
  const size = items.take(VIRTUAL_DISK_SIZE, 'Virtual Disk Size', 8);
  const virtualSize = Number(size.bytes.readBigUInt64LE(0));
  if (virtualSize === 0 || virtualSize > MAX_VIRTUAL_SIZE || virtualSize % logicalSectorSize !== 0) {
    throw invalid(`${virtualSize} bytes are no disk size`, 'VirtualDiskSize', size.at);
  }
  const virtualDiskId = items.take(VIRTUAL_DISK_ID, 'Virtual Disk ID', GUID_LENGTH).bytes;
  const fixed = (flags & LEAVE_BLOCK_ALLOCATED) !== 0;
  return { virtualSize, blockSize, logicalSectorSize, physicalSectorSize, fixed, virtualDiskId };
}

interface Item {
  /** Place in the file, bytes. */
  readonly at: number;
  readonly bytes: Buffer;
}

interface Items {
  /** The value of an item that every file has. */
  take(id: Buffer, name: string, length: number): Item;
}

async function readItems(access: RandomAccess, region: Region): Promise<Items> {
  const table = await readStructure(access, region.offset, METADATA_TABLE_LENGTH, 'metadata table');
  if (table.toString('latin1', 0, SIGNATURE.length) !== SIGNATURE) {
    throw invalid(`the metadata does not start with "${SIGNATURE}"`, 'Signature', region.offset);
  }
  const count = table.readUInt16LE(10);
  if (count > MAX_TABLE_ENTRIES) {
    throw invalid(`${count} items are more than ${MAX_TABLE_ENTRIES}`, 'EntryCount', region.offset + 10);
  }
  const known = [
    FILE_PARAMETERS,
    VIRTUAL_DISK_SIZE,
    LOGICAL_SECTOR_SIZE,
    PHYSICAL_SECTOR_SIZE,
    VIRTUAL_DISK_ID,
    PARENT_LOCATOR,
  ];
  const values = new Map<string, Item>();
  for (let index = 0; index < count; index++) {
    const at = ENTRY_LENGTH + index * ENTRY_LENGTH;
    const place = region.offset + at;
    const id = table.subarray(at, at + GUID_LENGTH);
    const offset = table.readUInt32LE(at + 16);
    const length = table.readUInt32LE(at + 20);
    const flags = table.readUInt32LE(at + 24);
    if ((flags & IS_USER) !== 0 || !known.some((candidate) => candidate.equals(id))) {
      if ((flags & IS_REQUIRED) !== 0) {
        throw new DiskError('VHDX_METADATA_UNKNOWN', `the file needs item ${guidText(id)}, which is not known here`, {
          field: 'ItemId',
          offset: place,
        });
      }
      continue;
    }
    if (values.has(guidText(id))) {
      throw invalid(`item ${guidText(id)} is listed twice`, 'ItemId', place);
    }
    if (offset < METADATA_TABLE_LENGTH || length > MAX_ITEM_LENGTH || offset + length > region.length) {
      throw invalid(`item ${guidText(id)}: ${length} bytes at ${offset} are not in the region`, 'Offset', place + 16);
    }
    const itemAt = region.offset + offset;
    values.set(guidText(id), { at: itemAt, bytes: await readStructure(access, itemAt, length, 'metadata item') });
  }
  return {
    take(id, name, length) {
      const item = values.get(guidText(id));
      if (item === undefined) {
        throw invalid(`there is no ${name}`, 'EntryCount', region.offset + 10);
      }
      if (item.bytes.length < length) {
        throw invalid(`${name} has ${item.bytes.length} bytes instead of ${length}`, 'Length', item.at);
      }
      return item;
    },
  };
}

function invalid(message: string, field: string, offset: number): DiskError {
  return new DiskError('VHDX_METADATA_INVALID', message, { field, offset });
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
