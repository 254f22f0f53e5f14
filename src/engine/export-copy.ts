/** The copy step: source disk → partial file on the share, flushed, closed and unmounted when it returns. */
import { statfs } from 'node:fs/promises';
import type { WritableAccess } from '../disk/access.ts';
import { type CopyResult, copyDisk } from '../disk/copy.ts';
import type { Disk } from '../disk/disk.ts';
import { DiskError } from '../disk/error.ts';
import { openFile } from '../disk/file.ts';
import { MappedDisk } from '../disk/mapped-disk.ts';
import { RawDisk } from '../disk/raw.ts';
import { VhdFixedWriter } from '../disk/vhd/fixed-writer.ts';
import { VhdxWriter } from '../disk/vhdx/vhdx-writer.ts';
import type { DiskWriter } from '../disk/writer.ts';
import type { Clock } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import type { EngineEventBody, ExportTask } from '../protocol/engine.ts';
import { IpsError } from '../protocol/errors.ts';
import type { PartialFile } from './partial-file.ts';
import { ProgressMeter } from './progress.ts';
import { asSource, asTarget, targetError } from './share-errors.ts';
import { forAMoment, unlessAborted, withFile } from './silent-server.ts';
import type { TargetShare } from './target-share.ts';

export interface CopyStep {
  task: ExportTask;
  /** Path of the source disk. */
  source: string;
  share: TargetShare;
  partial: PartialFile;
  clock: Clock;
  doors: Doors;
  emit: (event: EngineEventBody) => void;
  signal: AbortSignal;
}

/** @throws IpsError; the signal's reason */
export async function copyToShare(step: CopyStep): Promise<CopyResult> {
  const { task, share, partial, clock, signal } = step;
  const source = await openSource(step);
  try {
    const mounted = await share.mount('write', signal);
    try {
      await unlessAborted(checkSpace(task, mounted.folder), signal);
      const opening = partial.create(mounted.folder, signal).then(asTarget);
      return await withFile(opening, (target) => copy(step, source, target), step);
    } finally {
      await mounted.release();
    }
  } finally {
    await forAMoment(source.close(), clock);
  }
}

async function copy(
  { task, clock, emit, signal }: CopyStep,
  source: Disk,
  target: WritableAccess,
): Promise<CopyResult> {
  const writer = await createWriter(task, target);
  const meter = new ProgressMeter(clock, emit, 'copy', dataBytes(task));
  try {
    return await copyDisk({
      source,
      writer,
      signal,
      onProgress: ({ bytesRead, bytesSkipped, bytesWritten }) =>
        meter.advance({ bytesDone: bytesRead, bytesRead, bytesSkipped, bytesWritten }),
    });
  } finally {
    meter.stop();
  }
}

/** A dynamic VHDX grows as it must; a fixed VHD has its length at once, which a server may promise without having it. */
async function checkSpace({ source, target }: ExportTask, folder: string): Promise<void> {
  if (target.format !== 'vhd') return;
  const { bavail, bsize } = await statfs(folder).catch((error: unknown) => {
    throw targetError(error);
  });
  if (bavail * bsize < source.virtualSize) {
    throw new IpsError('SHARE_FULL', `A fixed VHD of this disk is longer than the ${bavail * bsize} bytes left.`);
  }
}

async function openSource({ task, source, doors }: CopyStep): Promise<Disk> {
  const { virtualSize, dataExtents } = task.source;
  const access = await openFile(source, doors);
  try {
    if (access.size < virtualSize) {
      throw new IpsError('SOURCE_UNREADABLE', `It has ${access.size} bytes in the engine instead of ${virtualSize}.`);
    }
    const disk = new RawDisk(asSource(access, virtualSize));
    if (dataExtents === undefined) return disk;
    return new MappedDisk(
      disk,
      dataExtents.map(([offset, length]) => ({ offset, length })),
    );
  } catch (error) {
    await access.close();
    throw error instanceof DiskError ? new IpsError('ENGINE_REFUSED', error.message, { cause: error }) : error;
  }
}

async function createWriter({ source, target }: ExportTask, access: WritableAccess): Promise<DiskWriter> {
  const options = { virtualSize: source.virtualSize, identity: Buffer.from(target.identity, 'hex') };
  try {
    return target.format === 'vhdx'
      ? await VhdxWriter.create(access, options)
      : await VhdFixedWriter.create(access, options);
  } catch (error) {
    if (error instanceof DiskError && error.code === 'SIZE_UNSUPPORTED') {
      throw new IpsError('TARGET_FORMAT_REFUSED', error.message, { cause: error });
    }
    throw error;
  }
}

function dataBytes({ source }: ExportTask): number {
  return source.dataExtents?.reduce((sum, [, length]) => sum + length, 0) ?? source.virtualSize;
}
