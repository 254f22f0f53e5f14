/**
 * Two levels of tables, by which qcow2 and every kind of sparse VMDK find the data of a disk: a directory says where the
 * tables lie, a table says where the data of its stretch of the disk lies.
 */

/** Up to `length` bytes of a file from `offset` on. */
export type ReadRegion = (offset: number, length: number) => Promise<Buffer>;

export interface TableLayout {
  /** Of the disk, in bytes. */
  size: number;
  /** What one entry of a table stands for, in bytes of the disk. */
  unit: number;
  directory: { offset: number; entryBytes: number };
  table: { entries: number; entryBytes: number };
  /** Where the table of the directory's entry at `at` lies; 0 when there is none. */
  tableOffset(directory: Buffer, at: number): number;
  /** Where the first `bytes` end that the table's entry at `at` stands for; 0 when none of them is in the file. */
  dataEnd(table: Buffer, at: number, bytes: number): number;
}

/** Up to where a file is needed, in bytes: for its tables, and for the data that may lie in another one. */
export interface Reach {
  tables: number;
  data: number;
}

/** Entries of a directory that are looked at together. */
const CHUNK = 8192;

/**
 * How far tables and data reach. Ends early when the tables reach beyond the file: no more is read than is there.
 * @throws the signal's reason; RangeError when the file became shorter meanwhile
 */
export async function reachOf(
  layout: TableLayout,
  file: { read: ReadRegion; length: number },
  signal: AbortSignal,
): Promise<Reach> {
  const { directory, table, unit, size } = layout;
  const tableBytes = table.entries * table.entryBytes;
  const stretch = table.entries * unit;
  const tables = Math.ceil(size / stretch);
  const reach = { tables: directory.offset + tables * directory.entryBytes, data: 0 };
  for (let first = 0; first < tables && reach.tables <= file.length; first += CHUNK) {
    const count = Math.min(CHUNK, tables - first);
    const chunk = await file.read(directory.offset + first * directory.entryBytes, count * directory.entryBytes);
    for (let entry = 0; entry < count && reach.tables <= file.length; entry += 1) {
      const offset = layout.tableOffset(chunk, entry * directory.entryBytes);
      if (offset === 0) continue;
      reach.tables = Math.max(reach.tables, offset + tableBytes);
      if (reach.tables > file.length) continue;
      signal.throwIfAborted();
      const behind = size - (first + entry) * stretch;
      reach.data = Math.max(reach.data, lastEnd(layout, await file.read(offset, tableBytes), behind));
    }
  }
  return reach;
}

/** @param behind bytes of the disk from the beginning of this table's stretch on */
function lastEnd({ table, unit, dataEnd }: TableLayout, entries: Buffer, behind: number): number {
  const used = Math.min(table.entries, Math.ceil(behind / unit));
  let end = 0;
  for (let entry = 0; entry < used; entry += 1) {
    end = Math.max(end, dataEnd(entries, entry * table.entryBytes, Math.min(unit, behind - entry * unit)));
  }
  return end;
}
