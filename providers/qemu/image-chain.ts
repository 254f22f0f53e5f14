/**
 * Finds out, without opening an image with anything but our own parsers, which files it consists of, and refuses one
 * that leads out of the source folders or lacks a part. The result is a tree of files with their formats: QEMU and
 * qemu-img are given that tree and follow no name from inside an image (VMDK extents excepted, whose names are checked
 * here).
 */
import { dirname, isAbsolute, join } from 'node:path';
import { isErrno, readRegion } from '../../src/lib/files.ts';
import { IpsError } from '../../src/protocol/errors.ts';
import { refuseCutOff, refuseShorter } from './cut-off.ts';
import type { KnownFile } from './held-files.ts';
import type { ImageFormat } from './image-format.ts';
import { parseQcow2Header, QCOW2_HEADER_BYTES } from './qcow2-header.ts';
import type { Located, SourceFolders } from './source-folders.ts';
import { checkExtent, parseVmdk, type VmdkHeader } from './vmdk-header.ts';

export interface ImageFile {
  format: ImageFormat;
  /** Without symbolic links. */
  path: string;
  /** qcow2 only: the file that holds the data. */
  dataFile?: string;
  backing?: ImageFile;
}

/** A disk with all that it lies in. */
export interface Chain {
  image: ImageFile;
  /** Every file that may be opened for it, backing files and extents included. */
  files: KnownFile[];
}

const MAX_DEPTH = 64;

/**
 * @param name absolute path as it was given; relative names inside the image count from its folder
 * @throws IpsError SOURCE_NOT_FOUND, SOURCE_UNREADABLE, SOURCE_BACKING_REFUSED
 */
export async function readChain(
  name: string,
  format: ImageFormat,
  folders: SourceFolders,
  signal: AbortSignal,
): Promise<Chain> {
  const located = await folders.locate(name);
  if (located.kind === 'missing') throw new IpsError('SOURCE_NOT_FOUND', `There is no ${name}.`);
  if (located.kind !== 'inside') throw refused(name, located);
  const reading: Reading = { folders, signal, files: [] };
  const image = await readFileOfChain({ name, located, format }, reading, []);
  return { image, files: reading.files };
}

/** What the files of one chain are looked at with. */
interface Reading {
  folders: SourceFolders;
  signal: AbortSignal;
  /** Filled as files are found. */
  files: KnownFile[];
}

async function readFileOfChain(
  file: { name: string; located: KnownFile; format: ImageFormat },
  reading: Reading,
  above: readonly string[],
): Promise<ImageFile> {
  const { located, format } = file;
  const { path } = located;
  if (above.includes(path)) throw new IpsError('SOURCE_UNREADABLE', `${path} is its own backing file.`);
  if (above.length >= MAX_DEPTH) throw new IpsError('SOURCE_UNREADABLE', `Its chain has more than ${MAX_DEPTH} files.`);
  reading.files.push(located);
  const image: ImageFile = { format, path };
  const names = format === 'qcow2' ? await qcow2Names(path) : format === 'vmdk' ? await vmdkNames(path, reading) : {};
  if (names.dataFile !== undefined) {
    const dataFile = await inside(names.dataFile, dirname(file.name), reading.folders);
    reading.files.push(dataFile);
    image.dataFile = dataFile.path;
  }
  await whole({ path, format, data: image.dataFile ?? path }, reading);
  if (names.backing !== undefined) {
    const next = names.backing;
    const base = format === 'vmdk' ? path : file.name;
    const nextLocated = await inside(next.name, dirname(base), reading.folders);
    const nextName = isAbsolute(next.name) ? next.name : join(dirname(base), next.name);
    const below = { name: nextName, located: nextLocated, format: next.format };
    image.backing = await readFileOfChain(below, reading, [...above, path]);
  }
  return image;
}

interface Names {
  dataFile?: string;
  backing?: { name: string; format: ImageFormat };
}

async function qcow2Names(path: string): Promise<Names> {
  const header = await understood(path, async () => parseQcow2Header(await readRegion(path, 0, QCOW2_HEADER_BYTES)));
  if (header.encrypted) throw new IpsError('SOURCE_UNREADABLE', `${path} is encrypted.`);
  if (header.corrupt) throw new IpsError('SOURCE_UNREADABLE', `${path} is marked as damaged.`);
  const names: Names = {};
  if (header.externalData) {
    if (header.externalData.name === undefined)
      throw new IpsError('SOURCE_UNREADABLE', `${path} keeps its data in another file and does not name it.`);
    names.dataFile = header.externalData.name;
  }
  if (header.backing) names.backing = { name: header.backing.name, format: backingFormat(path, header.backing) };
  return names;
}

function backingFormat(path: string, backing: { name: string; format?: string }): ImageFormat {
  const { format, name } = backing;
  if (format === 'raw' || format === 'qcow2' || format === 'vmdk' || format === 'vhdx') return format;
  if (format !== undefined)
    throw new IpsError('SOURCE_BACKING_REFUSED', `${path} has a backing file of the format "${format}".`);
  throw new IpsError('SOURCE_BACKING_REFUSED', `${path} does not say which format its backing file has.`, {
    hint: `Write the format into the image: qemu-img rebase -u -b "${name}" -F FORMAT "${path}".`,
  });
}

async function vmdkNames(path: string, reading: Reading): Promise<Names> {
  const header: VmdkHeader = await understood(path, () =>
    parseVmdk((offset, length) => readRegion(path, offset, length)),
  );
  for (const extent of header.extents) {
    // QEMU itself walks these names, and behind a symbolic link ".." is not where the text says.
    if (extent.name.split('/').includes('..'))
      throw new IpsError('SOURCE_BACKING_REFUSED', `It names "${extent.name}".`);
    const located = await inside(extent.name, dirname(path), reading.folders);
    await understood(path, async () => checkExtent(extent, await readRegion(located.path, 0, 512)));
    reading.files.push(located);
    if (extent.end === undefined) await whole({ path: located.path, format: 'vmdk', data: located.path }, reading);
    else await refuseShorter(located.path, extent.end);
  }
  if (!header.parent) return {};
  if (header.parent.name === undefined)
    throw new IpsError('SOURCE_BACKING_REFUSED', `${path} has a parent and does not name it.`);
  return { backing: { name: header.parent.name, format: 'vmdk' } };
}

/** @throws IpsError SOURCE_UNREADABLE when a part of the file is missing; the signal's reason */
async function whole(image: Parameters<typeof refuseCutOff>[0], { signal }: Reading): Promise<void> {
  await understood(image.path, () => refuseCutOff(image, signal)).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
}

/** Where a file really is that an image names. @throws IpsError SOURCE_BACKING_REFUSED, SOURCE_UNREADABLE */
async function inside(name: string, folder: string, folders: SourceFolders): Promise<KnownFile> {
  // A colon before the first slash makes a name a protocol to QEMU (block.c, path_has_protocol): nbd:, http:, json:.
  if (/^[^/]*:/.test(name)) throw new IpsError('SOURCE_BACKING_REFUSED', `It names "${name.slice(0, 200)}".`);
  const located = await folders.locate(isAbsolute(name) ? name : join(folder, name));
  if (located.kind === 'missing')
    throw new IpsError('SOURCE_UNREADABLE', `It refers to "${name.slice(0, 200)}", which is not there.`);
  if (located.kind !== 'inside') throw refused(name, located);
  return located;
}

function refused(name: string, located: Exclude<Located, { kind: 'inside' } | { kind: 'missing' }>): IpsError {
  const shown = `"${name.slice(0, 200)}"`;
  if (located.kind === 'unreadable')
    return new IpsError('SOURCE_UNREADABLE', `The connector may not look at ${shown}.`);
  const what = located.kind === 'noFile' ? 'is no plain file' : 'lies outside';
  return new IpsError('SOURCE_BACKING_REFUSED', `${shown} ${what}.`);
}

async function understood<T>(path: string, parse: () => Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (error) {
    if (error instanceof IpsError) throw error;
    if (isErrno(error, 'EACCES')) throw new IpsError('SOURCE_UNREADABLE', `The connector may not read ${path}.`);
    throw new IpsError('SOURCE_UNREADABLE', `${path}: ${error instanceof Error ? error.message : String(error)}.`);
  }
}
