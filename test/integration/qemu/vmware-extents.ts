/**
 * Two kinds of VMDK that QEMU reads and does not make: small disks of 8 MiB with data up to the last byte of the file.
 * Layout: QEMU, block/vmdk.c (VMDK3Header, VMDKSESparseConstHeader).
 */
const SECTOR = 512;
const DISK_SECTORS = 16_384;
/** Entry of the table and number of the grain: not in order, and the highest one used is not the last to be written. */
const USED = [
  [0, 0],
  [5, 2],
  [9, 1],
] as const;

export function descriptorOf(type: string, extentType: string, file: string): string {
  const head = `# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="${type}"\n`;
  return `${head}# Extent description\nRW ${DISK_SECTORS} ${extentType} "${file}"\n`;
}

export function vmfsSparseExtent(): Buffer {
  const [directory, table, grains] = [4, 8, 40];
  const file = Buffer.alloc((grains + USED.length) * SECTOR, 0);
  file.write('COWD', 0, 'latin1');
  for (const [index, value] of [1, 3, DISK_SECTORS, 1, directory, 4].entries())
    file.writeUInt32LE(value, 4 + 4 * index);
  file.writeUInt32LE(table, directory * SECTOR);
  for (const [entry, grain] of USED) file.writeUInt32LE(grains + grain, table * SECTOR + 4 * entry);
  file.fill(7, grains * SECTOR);
  return file;
}

export function sesparseExtent(): Buffer {
  const [directory, tables, grainSectors, tableSectors] = [8, 16, 8, 64];
  const grains = tables + 2 * tableSectors;
  const file = Buffer.alloc((grains + USED.length * grainSectors) * SECTOR);
  const header = [0xcafebaben, 0x200000001n, DISK_SECTORS, grainSectors, tableSectors];
  for (const [index, value] of header.entries()) file.writeBigUInt64LE(BigInt(value), 8 * index);
  const volatileHeader = 1;
  const places = { 80: volatileHeader, 88: 1, 128: directory, 136: 8, 144: tables, 152: 2 * tableSectors, 192: grains };
  for (const [at, sector] of Object.entries(places)) file.writeBigUInt64LE(BigInt(sector), Number(at));
  file.writeBigUInt64LE(0xcafecafen, volatileHeader * SECTOR);
  const table = 1;
  file.writeBigUInt64LE((1n << 60n) | BigInt(table), directory * SECTOR);
  const tableOffset = (tables + table * tableSectors) * SECTOR;
  for (const [entry, grain] of USED)
    file.writeBigUInt64LE((3n << 60n) | (BigInt(grain) << 48n), tableOffset + 8 * entry);
  file.fill(7, grains * SECTOR);
  return file;
}
