/**
 * Where the sparse kinds of VMDK say that their grains lie. Sources: VMware, Virtual Disk Format 5.0, "Hosted Sparse
 * Extents" and "ESXi Host Sparse Extents"; for SESPARSE, which VMware never described, QEMU, block/vmdk.c.
 */
import type { ReadRegion, TableLayout } from './table-layout.ts';

const SECTOR = 512;
const HIGH = 2 ** 32;
/** Entries of a grain table at most, whatever the kind. */
const MAX_TABLE = 4096;

/** The tables of one sparse file; undefined when it is none. @throws Error with one sentence when they cannot be any */
export async function vmdkTables(read: ReadRegion, length: number): Promise<TableLayout | undefined> {
  const head = await read(0, SECTOR);
  if (head.length < SECTOR) return undefined;
  const layout = await KINDS[head.toString('latin1', 0, 4)]?.(head, read, length);
  if (layout === undefined) return undefined;
  const { entries } = layout.table;
  if (layout.unit === 0 || entries === 0 || entries > MAX_TABLE) throw new Error('its grain tables are not valid');
  return layout;
}

type Kind = (head: Buffer, read: ReadRegion, length: number) => TableLayout | Promise<TableLayout>;

/** By the first four bytes. */
const KINDS: Readonly<Record<string, Kind>> = {
  KDMV: async (head, read, length) => hostedTables(hasFooter(head) ? await footer(read, length) : head),
  COWD: hostTables,
  '\xbe\xba\xfe\xca': sesparseTables,
};

const FLAG_ZERO_GRAINS = 1 << 2;
const ZERO_GRAIN = 1;
const DEFLATE = 1;
/** What precedes a compressed grain: its place on the disk, and its length. Whether it is whole, its checksum tells. */
const GRAIN_MARKER_BYTES = 12;

function hostedTables(header: Buffer): TableLayout {
  const compressed = header.readUInt16LE(77) === DEFLATE;
  const firstGrain = (header.readUInt32LE(8) & FLAG_ZERO_GRAINS) !== 0 ? ZERO_GRAIN + 1 : 1;
  return {
    size: sectorsAt(header, 12),
    unit: sectorsAt(header, 20),
    directory: { offset: sectorsAt(header, 56), entryBytes: 4 },
    table: { entries: header.readUInt32LE(44), entryBytes: 4 },
    tableOffset: (directory, at) => directory.readUInt32LE(at) * SECTOR,
    dataEnd(table, at, bytes) {
      const grain = table.readUInt32LE(at);
      return grain < firstGrain ? 0 : grain * SECTOR + (compressed ? GRAIN_MARKER_BYTES : bytes);
    },
  };
}

/** A file that was written in one go has its directory behind the data, and a second header at its end says where. */
function hasFooter(head: Buffer): boolean {
  return head.readBigUInt64LE(56) === 2n ** 64n - 1n;
}

async function footer(read: ReadRegion, length: number): Promise<Buffer> {
  const header = await read(Math.max(0, Math.ceil(length / SECTOR) - 2) * SECTOR, SECTOR);
  if (!header.toString('latin1').startsWith('KDMV') || hasFooter(header))
    throw new Error('it is cut off or damaged: it has no footer');
  return header;
}

function hostTables(header: Buffer): TableLayout {
  return {
    size: header.readUInt32LE(12) * SECTOR,
    unit: header.readUInt32LE(16) * SECTOR,
    directory: { offset: header.readUInt32LE(20) * SECTOR, entryBytes: 4 },
    table: { entries: MAX_TABLE, entryBytes: 4 },
    tableOffset: (directory, at) => directory.readUInt32LE(at) * SECTOR,
    dataEnd(table, at, bytes) {
      const grain = table.readUInt32LE(at);
      return grain === 0 ? 0 : grain * SECTOR + bytes;
    },
  };
}

/** The kind of entry, its highest four bits: in a directory one that has a table, in a table one that has data. */
const SESPARSE_TABLE = 1;
const SESPARSE_GRAIN = 3;

function sesparseTables(header: Buffer): TableLayout {
  const unit = sectorsAt(header, 24);
  const tableBytes = sectorsAt(header, 32);
  const tables = sectorsAt(header, 144);
  const grains = sectorsAt(header, 192);
  return {
    size: sectorsAt(header, 16),
    unit,
    directory: { offset: sectorsAt(header, 128), entryBytes: 8 },
    table: { entries: tableBytes / 8, entryBytes: 8 },
    tableOffset(directory, at) {
      const used = directory.readUInt32LE(at + 4) >>> 28 === SESPARSE_TABLE;
      return used ? tables + directory.readUInt32LE(at) * tableBytes : 0;
    },
    dataEnd(table, at, bytes) {
      const high = table.readUInt32LE(at + 4);
      if (high >>> 28 !== SESPARSE_GRAIN) return 0;
      // The twelve bits below the kind are the lowest of the grain's number, the 48 below those its highest.
      const upper = (high & 0xffff) * HIGH + table.readUInt32LE(at);
      return grains + (upper * 2 ** 12 + ((high >>> 16) & 0xfff)) * unit + bytes;
    },
  };
}

const sectorsAt = (header: Buffer, at: number): number => Number(header.readBigUInt64LE(at)) * SECTOR;
