/**
 * How far into its file a VHDX reaches. QEMU compares its blocks with the file's length too, but only when it is about
 * to read them, and not the tables that name them. Source of the format: [MS-VHDX] 2.2.3, region table, 2.5, BAT, and
 * 2.6, metadata.
 */
import type { Reach, ReadRegion } from './table-layout.ts';

const REGION_TABLE = 192 * 1024;
const TABLE_BYTES = 64 * 1024;
const ENTRY_BYTES = 32;
const SECTOR = 512;
const MIB = 1024 * 1024;

/** GUIDs as they lie in a file. */
const BAT = '6677c22d23f600429d64115e9bfd4a08';
const METADATA = '06a27c8b90479a4bb8fe575f050f886e';
const FILE_PARAMETERS = '3767a1ca36fa434db3b633f0aa44e76b';

/** States of a block, in the lowest three bits of its entry, in which it or a part of it lies in the file. */
const PRESENT = 6;

/** An image whose tables are not found is left to QEMU, which refuses it. @throws the signal's reason */
export async function vhdxReach(file: { read: ReadRegion; length: number }, signal: AbortSignal): Promise<Reach> {
  const regions = regionsOf(await file.read(REGION_TABLE, TABLE_BYTES));
  const ends = regions.map(({ offset, length }) => offset + length);
  // Everything lies in whole MiB: a part of a sector is what is left of one.
  const reach = { tables: Math.max(Math.ceil(file.length / SECTOR) * SECTOR, ...ends), data: 0 };
  const bat = regions.find(({ guid }) => guid === BAT);
  const metadata = regions.find(({ guid }) => guid === METADATA);
  if (reach.tables > file.length || bat === undefined || metadata === undefined) return reach;
  const blockSize = await blockSizeIn(file.read, metadata.offset);
  for (let at = 0; at < bat.length; at += MIB) {
    signal.throwIfAborted();
    const entries = await file.read(bat.offset + at, Math.min(MIB, bat.length - at));
    for (let entry = 0; entry + 8 <= entries.length; entry += 8) {
      if ((entries.readUInt32LE(entry) & 7) < PRESENT) continue;
      reach.data = Math.max(reach.data, Number(entries.readBigUInt64LE(entry) >> 20n) * MIB + blockSize);
    }
  }
  return reach;
}

interface Region {
  guid: string;
  offset: number;
  length: number;
}

function regionsOf(table: Buffer): Region[] {
  return entriesOf(table, { signature: 'regi', countAt: 8, first: 16 }).map((entry) => ({
    guid: guidOf(entry),
    offset: Number(entry.readBigUInt64LE(16)),
    length: entry.readUInt32LE(24),
  }));
}

/** Size of a block; 0 when the metadata do not tell. */
async function blockSizeIn(read: ReadRegion, metadata: number): Promise<number> {
  const table = await read(metadata, TABLE_BYTES);
  const items = entriesOf(table, { signature: 'metadata', countAt: 10, first: 32 });
  const parameters = items.find((entry) => guidOf(entry) === FILE_PARAMETERS);
  if (parameters === undefined) return 0;
  return (await read(metadata + parameters.readUInt32LE(16), 4)).readUInt32LE(0);
}

function entriesOf(table: Buffer, shape: { signature: string; countAt: number; first: number }): Buffer[] {
  if (!table.toString('latin1', 0, 8).startsWith(shape.signature)) return [];
  const at = (index: number) => shape.first + index * ENTRY_BYTES;
  const entries = Array.from({ length: table.readUInt16LE(shape.countAt) }, (_, index) =>
    table.subarray(at(index), at(index + 1)),
  );
  return entries.filter(({ length }) => length === ENTRY_BYTES);
}

const guidOf = (entry: Buffer): string => entry.toString('hex', 0, 16);
