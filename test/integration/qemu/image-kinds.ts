/** Images of all kinds that a source may be, each with data up to its very end. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool, tryTool } from '../../harness/tools.ts';
import { descriptorOf, sesparseExtent, vmfsSparseExtent } from './vmware-extents.ts';

export interface ImageKind {
  name: string;
  format: 'qcow2' | 'vmdk' | 'vhdx';
  /** Makes `disk` and the files that belong to it in a folder. */
  make(folder: string): Promise<unknown>;
  /** The files that hold its data and are of no use when something of them is missing. */
  files: string[];
  /** What may be missing at the end without a loss, in bytes. */
  padding?: number;
}

const WRITES = ['write -P 1 0 1M', 'write -P 2 30M 64k', 'write -P 3 65M 2M'];

async function create(folder: string, format: string, options: string[] = [], size = '100M'): Promise<void> {
  await runTool('qemu-img', ['create', '-q', '-f', format, ...options, 'disk', size], { cwd: folder });
}

async function write(folder: string, format: string, file = 'disk', writes = WRITES): Promise<void> {
  await runTool('qemu-io', ['-f', format, ...writes.flatMap((each) => ['-c', each]), file], { cwd: folder });
}

function qcow2(options: string): ImageKind {
  const make = async (folder: string) => {
    await create(folder, 'qcow2', options === '' ? [] : ['-o', options]);
    await write(folder, 'qcow2');
  };
  return { name: `qcow2 ${options}`.trim(), format: 'qcow2', files: ['disk'], make };
}

/** A disk whose length is no whole number of clusters, converted. */
function converted(format: 'qcow2' | 'vmdk', options: string[]): ImageKind {
  const make = async (folder: string) => {
    await runTool('qemu-img', ['create', '-q', '-f', 'raw', 'raw', String(5 * 1024 * 1024 + 1536)], { cwd: folder });
    await write(folder, 'raw', 'raw', ['write -P 1 0 1M', 'write -P 2 5M 1536']);
    await runTool('qemu-img', ['convert', '-f', 'raw', '-O', format, ...options, 'raw', 'disk'], { cwd: folder });
  };
  return { name: `${format} converted ${options.join(' ')}`.trim(), format, files: ['disk'], make };
}

/** The file ends where the written part does, with a part of a cluster. */
async function inPart(folder: string): Promise<void> {
  await create(folder, 'qcow2', ['-o', 'extended_l2=on']);
  await write(folder, 'qcow2', 'disk', ['write -P 1 0 1M', 'write -P 2 30M 4k']);
}

async function withSnapshots(folder: string): Promise<void> {
  await create(folder, 'qcow2');
  await write(folder, 'qcow2');
  await runTool('qemu-img', ['snapshot', '-c', 'one', 'disk'], { cwd: folder });
  await write(folder, 'qcow2');
}

async function overShortRaw(folder: string): Promise<void> {
  await writeFile(join(folder, 'base'), Buffer.alloc(1024 * 1024, 7));
  await create(folder, 'qcow2', ['-b', 'base', '-F', 'raw']);
  await write(folder, 'qcow2');
}

async function overAnother(folder: string): Promise<void> {
  await runTool('qemu-img', ['create', '-q', '-f', 'qcow2', 'base', '100M'], { cwd: folder });
  await write(folder, 'qcow2', 'base');
  await create(folder, 'qcow2', ['-b', 'base', '-F', 'qcow2']);
  await write(folder, 'qcow2', 'disk', ['write -P 5 40M 1M']);
}

/** The process that writes dies before it has written its reference counts. */
async function killedWhileWriting(folder: string): Promise<void> {
  await create(folder, 'qcow2', ['-o', 'lazy_refcounts=on']);
  const commands = [...WRITES, 'flush', 'sigraise 9'].flatMap((each) => ['-c', each]);
  await tryTool('qemu-io', ['-f', 'qcow2', ...commands, 'disk'], { cwd: folder });
}

/** A stream as VMware writes it: the place of the directory is told by a second header at the end of the file. */
async function withFooter(folder: string): Promise<void> {
  await streamed.make(folder);
  const bytes = await readFile(join(folder, 'disk'));
  const header = Buffer.from(bytes.subarray(0, 512));
  bytes.fill(0xff, 56, 64);
  const marker = Buffer.alloc(512);
  marker.writeBigUInt64LE(1n, 0);
  marker.writeUInt32LE(3, 12);
  await writeFile(join(folder, 'disk'), Buffer.concat([bytes, marker, header, Buffer.alloc(512)]));
}

function vmdk(subformat: string, files: string[]): ImageKind {
  const make = async (folder: string) => {
    await create(folder, 'vmdk', ['-o', `subformat=${subformat}`], '3G');
    await write(folder, 'vmdk', 'disk', [...WRITES, 'write -P 4 3071M 1M']);
  };
  return { name: `vmdk ${subformat}`, format: 'vmdk', files, make };
}

/** What only VMware makes: a descriptor, and the one file that it names. */
function vmwareVmdk(type: string, extentType: string, extent: () => Buffer): ImageKind {
  const make = async (folder: string) => {
    await writeFile(join(folder, 'disk'), descriptorOf(type, extentType, 'disk-data'));
    await writeFile(join(folder, 'disk-data'), extent());
  };
  return { name: `vmdk ${type}`, format: 'vmdk', files: ['disk-data'], make };
}

function vhdx(options: string): ImageKind {
  const make = async (folder: string) => {
    await create(folder, 'vhdx', ['-o', options]);
    await write(folder, 'vhdx', 'disk', [...WRITES, 'write -P 4 99M 1M']);
  };
  return { name: `vhdx ${options}`, format: 'vhdx', files: ['disk'], make };
}

const streamed = converted('vmdk', ['-o', 'subformat=streamOptimized']);

export const IMAGE_KINDS: ImageKind[] = [
  qcow2(''),
  qcow2('compat=0.10'),
  { ...qcow2('cluster_size=512'), padding: 512 },
  qcow2('cluster_size=2M'),
  qcow2('preallocation=metadata'),
  qcow2('preallocation=falloc'),
  qcow2('extended_l2=on'),
  { ...qcow2(''), name: 'qcow2 with a cluster that was written in part', make: inPart },
  { ...qcow2('data_file=data,data_file_raw=on'), files: ['disk', 'data'] },
  { ...qcow2(''), name: 'qcow2 of a process that was killed', make: killedWhileWriting },
  { ...qcow2(''), name: 'qcow2 without data', make: (folder) => create(folder, 'qcow2') },
  { ...qcow2(''), name: 'qcow2 with snapshots', make: withSnapshots },
  { ...qcow2(''), name: 'qcow2 over a raw file that is shorter than the disk', make: overShortRaw },
  { ...qcow2(''), name: 'qcow2 over another one', files: ['disk', 'base'], make: overAnother },
  // Nothing of the last cluster lies on the disk but its first three sectors.
  { ...converted('qcow2', []), padding: 65_536 - 1536 },
  // What is compressed may end anywhere in the last sector.
  { ...converted('qcow2', ['-c']), padding: 511 },
  { ...converted('qcow2', ['-c', '-o', 'compression_type=zstd']), padding: 511 },
  { ...converted('vmdk', []), padding: 65_536 - 1536 },
  // What QEMU adds to the last grain. A cut in the grain itself is an error when it is read.
  { ...streamed, padding: 65_536 },
  { ...streamed, name: 'vmdk with a footer', make: withFooter, padding: 511 },
  vmdk('monolithicSparse', ['disk']),
  vmdk('monolithicSparse,zeroed_grain=on', ['disk']),
  vmdk('twoGbMaxExtentSparse', ['disk-s001', 'disk-s002']),
  vmdk('monolithicFlat', ['disk-flat']),
  vmdk('twoGbMaxExtentFlat', ['disk-f001', 'disk-f002']),
  vmwareVmdk('vmfsSparse', 'VMFSSPARSE', vmfsSparseExtent),
  vmwareVmdk('seSparse', 'SESPARSE', sesparseExtent),
  vhdx('subformat=dynamic'),
  vhdx('subformat=fixed'),
];
