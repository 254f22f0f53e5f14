/**
 * Files of images that are shorter than what they refer to, as after a copy that was interrupted. Beyond the end of a
 * file QEMU reads zeros, without an error, from tables and from data. `qemu-img check` is no judge of it: it lets a file end
 * anywhere in its last cluster, refuses images that were merely not closed, and misses what a VMDK's table has lost.
 */
import { stat } from 'node:fs/promises';
import { readRegion } from '../../src/lib/files.ts';
import { IpsError } from '../../src/protocol/errors.ts';
import type { ImageFormat } from './image-format.ts';
import { QCOW2_HEADER_BYTES } from './qcow2-header.ts';
import { qcow2Tables } from './qcow2-tables.ts';
import { type Reach, type ReadRegion, reachOf } from './table-layout.ts';
import { vhdxReach } from './vhdx-blocks.ts';
import { vmdkTables } from './vmdk-tables.ts';

/** A file that can be read, and its length in bytes. */
interface ReadableFile {
  read: ReadRegion;
  length: number;
}

const NOWHERE: Reach = { tables: 0, data: 0 };

const REACH: Readonly<Record<ImageFormat, (file: ReadableFile, signal: AbortSignal) => Promise<Reach>>> = {
  // Such a file is the disk, whatever its length.
  raw: async () => NOWHERE,
  qcow2: async (file, signal) => reachOf(qcow2Tables(await file.read(0, QCOW2_HEADER_BYTES)), file, signal),
  vhdx: vhdxReach,
  vmdk: async (file, signal) => {
    const layout = await vmdkTables(file.read, file.length);
    return layout === undefined ? NOWHERE : await reachOf(layout, file, signal);
  },
};

/**
 * @param image.data where its data lies: the image itself or another file
 * @throws IpsError SOURCE_UNREADABLE; Error with one sentence when the tables are not understood; the signal's reason
 */
export async function refuseCutOff(
  image: { path: string; format: ImageFormat; data: string },
  signal: AbortSignal,
): Promise<void> {
  const { path, format } = image;
  const read: ReadRegion = (offset, length) => readRegion(path, offset, length);
  const reach = await REACH[format]({ read, length: (await stat(path)).size }, signal);
  await refuseShorter(path, reach.tables);
  await refuseShorter(image.data, reach.data);
}

/** @throws IpsError SOURCE_UNREADABLE when the file has fewer bytes */
export async function refuseShorter(path: string, bytes: number): Promise<void> {
  const { size } = await stat(path);
  if (size >= bytes) return;
  const lengths = `it has ${size} bytes and refers to what would need ${bytes}`;
  throw new IpsError('SOURCE_UNREADABLE', `${path} is cut off or damaged: ${lengths}.`, {
    hint: 'Copy it again to its end, compare its length and its checksum with the original, then start the job again.',
  });
}
