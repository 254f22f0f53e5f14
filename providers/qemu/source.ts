/** A source disk: its chain of files, each of them looked at, and the size of its content. */
import { stat } from 'node:fs/promises';
import { IpsError } from '../../src/protocol/errors.ts';
import type { QemuSource } from '../../src/protocol/job.ts';
import { type Chain, type ImageFile, readChain } from './image-chain.ts';
import { formatOf } from './image-format.ts';
import type { QemuImg } from './qemu-img.ts';
import type { SourceFolders } from './source-folders.ts';

export interface Source {
  image: ImageFile;
  /** Exact size of the disk's content, in bytes. */
  virtualSize: number;
}

/** @throws IpsError SOURCE_UNREADABLE, SOURCE_BACKING_REFUSED, SOURCE_NOT_FOUND, SOURCE_IN_USE */
export async function openSource(
  tools: { folders: SourceFolders; qemuImg: QemuImg },
  source: QemuSource,
  signal: AbortSignal,
): Promise<Source> {
  const { image } = await readSourceChain(tools.folders, source, signal);
  const size = await tools.qemuImg.virtualSize(image, signal);
  for (let below = image.backing; below; below = below.backing) await tools.qemuImg.virtualSize(below, signal);
  // qemu-img counts in sectors; a raw file's own length is exact.
  const virtualSize = image.format === 'raw' ? (await stat(image.path)).size : size;
  return { image, virtualSize };
}

/** The files of a source, without a look into their data. @throws IpsError as {@link openSource} does */
export async function readSourceChain(folders: SourceFolders, source: QemuSource, signal: AbortSignal): Promise<Chain> {
  const format = formatOf(source);
  if (format === undefined)
    throw new IpsError('SOURCE_UNREADABLE', `The name of ${source.path} does not tell its format.`, {
      hint: 'Give the format with --disk-format raw, qcow2, vmdk or vhdx.',
    });
  return await readChain(source.path, format, folders, signal);
}
