/** The region table, of which there are two copies: where the metadata and the block allocation table lie. [MS-VHDX] 2.2.3. */
import type { RandomAccess } from '../access.ts';
import { readStructure } from '../access.ts';
import { DiskError } from '../error.ts';
import { GUID_LENGTH, guidText } from '../guid.ts';
import { checkPlacement, isIntact, sealed } from './header.ts';
import { BAT_REGION, MAX_TABLE_ENTRIES, METADATA_REGION, REGION_TABLE_LENGTH, REGION_TABLE_PLACES } from './layout.ts';

const SIGNATURE = 'regi';
const ENTRIES_AT = 16;
const ENTRY_LENGTH = 32;
const REQUIRED = 1;

export interface Region {
  /** Place in the file, bytes. */
  readonly offset: number;
  readonly length: number;
}

export interface RegionTable {
  readonly bat: Region;
  readonly metadata: Region;
  /** Every region, known or not: nothing else may lie there. */
  readonly all: readonly Region[];
}

export function regionTableBytes(bat: Region, metadata: Region): Buffer {
  const bytes = Buffer.alloc(REGION_TABLE_LENGTH);
  bytes.write(SIGNATURE, 0, 'latin1');
  const entries = [
    { guid: BAT_REGION, region: bat },
    { guid: METADATA_REGION, region: metadata },
  ];
  bytes.writeUInt32LE(entries.length, 8);
  entries.forEach(({ guid, region }, index) => {
    const at = ENTRIES_AT + index * ENTRY_LENGTH;
    guid.copy(bytes, at);
    bytes.writeBigUInt64LE(BigInt(region.offset), at + 16);
    bytes.writeUInt32LE(region.length, at + 24);
    bytes.writeUInt32LE(REQUIRED, at + 28);
  });
  return sealed(bytes);
}

/** @throws DiskError TRUNCATED, VHDX_REGION_INVALID, VHDX_REGION_UNKNOWN */
export async function readRegionTable(access: RandomAccess): Promise<RegionTable> {
  for (const place of REGION_TABLE_PLACES) {
    const bytes = await readStructure(access, place, REGION_TABLE_LENGTH, 'region table');
    if (isIntact(bytes, SIGNATURE)) {
      return parse(bytes, place, access.size);
    }
  }
  throw new DiskError('VHDX_REGION_INVALID', 'neither region table has its signature and checksum', {
    field: 'Signature',
    offset: REGION_TABLE_PLACES[0],
  });
}

function parse(bytes: Buffer, place: number, fileSize: number): RegionTable {
  const invalid = (message: string, field: string, at: number) =>
    new DiskError('VHDX_REGION_INVALID', message, { field, offset: place + at });
  const count = bytes.readUInt32LE(8);
  if (count > MAX_TABLE_ENTRIES) {
    throw invalid(`${count} regions are more than ${MAX_TABLE_ENTRIES}`, 'EntryCount', 8);
  }
  const all: Region[] = [];
  const seen = new Map<string, Region>();
  for (let index = 0; index < count; index++) {
    const at = ENTRIES_AT + index * ENTRY_LENGTH;
    const guid = guidText(bytes.subarray(at, at + GUID_LENGTH));
    const region = { offset: Number(bytes.readBigUInt64LE(at + 16)), length: bytes.readUInt32LE(at + 24) };
    if (seen.has(guid)) {
      throw invalid(`region ${guid} is listed twice`, 'Guid', at);
    }
    const known = guid === guidText(BAT_REGION) || guid === guidText(METADATA_REGION);
    if (!known && (bytes.readUInt32LE(at + 28) & REQUIRED) !== 0) {
      throw new DiskError('VHDX_REGION_UNKNOWN', `the file needs region ${guid}, which is not known here`, {
        field: 'Guid',
        offset: place + at,
      });
    }
    checkPlacement(region.offset, region.length, fileSize, (message) =>
      invalid(`region ${guid} ${message}`, 'FileOffset', at + 16),
    );
    seen.set(guid, region);
    all.push(region);
  }
  const bat = seen.get(guidText(BAT_REGION));
  const metadata = seen.get(guidText(METADATA_REGION));
  if (bat === undefined || metadata === undefined) {
    throw invalid('the block allocation table or the metadata is not listed', 'EntryCount', 8);
  }
  return { bat, metadata, all };
}
