/**
 * Reads a VMDK file for the names of other files in it. A line that is not of a known shape refuses the whole
 * descriptor: what is not understood here could still be a file name to the program that opens the image.
 * Source of the format: VMware, Virtual Disk Format 5.0, "Layout Basics" and "Hosted Sparse Extents".
 */
import type { ReadRegion } from './table-layout.ts';

export interface VmdkExtent {
  type: string;
  name: string;
  /** Up to where its file holds data, in bytes; undefined when tables in it say where. */
  end: number | undefined;
}

export interface VmdkHeader {
  /** Extents that lie in other files; none for a sparse file that carries its own data. */
  extents: VmdkExtent[];
  parent?: { name?: string };
}

/** Bytes that QEMU reads of a descriptor at most. */
export const VMDK_DESCRIPTOR_BYTES = 1024 * 1024;

const SPARSE_MAGIC = 'KDMV';
const SPARSE_HEADER_BYTES = 512;
const COW_MAGIC = 'COWD';
const SECTOR = 512;
const NO_PARENT = 'ffffffff';
const MAX_EXTENTS = 4096;

/** @throws Error with one sentence when the file is no VMDK that can be judged */
export async function parseVmdk(read: ReadRegion): Promise<VmdkHeader> {
  const head = await read(0, SPARSE_HEADER_BYTES);
  const magic = head.toString('latin1', 0, 4);
  if (magic === COW_MAGIC) throw new Error('it is an extent of a VMDK, not its descriptor');
  if (magic !== SPARSE_MAGIC) return parseDescriptor(await read(0, VMDK_DESCRIPTOR_BYTES), EXTENT_LINE);
  if (hasNoCapacity(head)) throw new Error('its sparse header has no capacity');
  const offset = Number(head.readBigUInt64LE(28)) * SECTOR;
  const length = Number(head.readBigUInt64LE(36)) * SECTOR;
  if (offset === 0) return { extents: [] };
  const own = await read(offset, Math.min(length, VMDK_DESCRIPTOR_BYTES));
  const { parent } = parseDescriptor(own, OWN_EXTENT_LINE);
  // The embedded descriptor's one extent is this very file.
  return parent === undefined ? { extents: [] } : { extents: [], parent };
}

/**
 * Whether an extent file may be opened as the data it is said to be.
 * @param head its first 512 bytes
 * @throws Error when it would itself be read as a list of further files
 */
export function checkExtent(extent: VmdkExtent, head: Buffer): void {
  if (extent.type !== 'SPARSE' && extent.type !== 'VMFSSPARSE') return;
  const magic = head.toString('latin1', 0, 4);
  const sparse = magic === SPARSE_MAGIC && head.length >= SPARSE_HEADER_BYTES && !hasNoCapacity(head);
  if (!sparse && magic !== COW_MAGIC) throw new Error(`the extent "${extent.name}" is not sparse data`);
}

/** QEMU takes a sparse header without capacity for the beginning of yet another descriptor. */
function hasNoCapacity(head: Buffer): boolean {
  return head.length < SPARSE_HEADER_BYTES || head.readBigUInt64LE(12) === 0n;
}

/** QEMU leaves out every extent that is not RW: the disk would come out shorter than it is. */
const EXTENT_LINE = extentLine('RW');
/** A sparse file's descriptor speaks of that file itself, often as RDONLY; QEMU takes its size from the header. */
const OWN_EXTENT_LINE = extentLine('RW|RDONLY|NOACCESS');
const FIELD_LINE = /^([A-Za-z][\w.:-]*) *= *("?)(.*?)\2$/;

function extentLine(access: string): RegExp {
  return new RegExp(`^(?:${access}) +(\\d+) +(FLAT|VMFS|SPARSE|VMFSSPARSE|SESPARSE) +"([^"]+)"(?: +(\\d+))?$`);
}

function parseDescriptor(bytes: Buffer, extentPattern: RegExp): VmdkHeader {
  const end = bytes.indexOf(0);
  const text = bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
  if (!text.startsWith('# Disk DescriptorFile')) throw new Error('it has no VMDK descriptor');
  const header: VmdkHeader = { extents: [] };
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/).map((each) => each.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const extent = extentPattern.exec(line);
    const field = extent ? undefined : FIELD_LINE.exec(line);
    if (extent) header.extents.push(extentOf(extent));
    else if (field) fields.set((field[1] ?? '').toLowerCase(), field[3] ?? '');
    else throw new Error(`its descriptor has a line that is not understood: "${line.slice(0, 80)}"`);
  }
  if (header.extents.length > MAX_EXTENTS) throw new Error('it has too many extents');
  if ([...fields.keys()].some((name) => name.startsWith('encryption.'))) throw new Error('it is encrypted');
  const hint = fields.get('parentfilenamehint');
  if (hint !== undefined) header.parent = { name: hint };
  else if ((fields.get('parentcid') ?? NO_PARENT).toLowerCase() !== NO_PARENT) header.parent = {};
  return header;
}

function extentOf([, sectors, type = '', name = '', offset = '0']: RegExpExecArray): VmdkExtent {
  const flat = type === 'FLAT' || type === 'VMFS';
  return { type, name, end: flat ? (Number(offset) + Number(sectors)) * SECTOR : undefined };
}
