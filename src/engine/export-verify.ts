/**
 * The verify step: a fresh mount without cache, the file opened by its reader, every byte compared with what the copy
 * meant to write. Anything in the file that is not as it was written is HASH_MISMATCH, broken structures too.
 */
import { join } from 'node:path';
import type { RandomAccess } from '../disk/access.ts';
import { dataBlocks } from '../disk/blocks.ts';
import type { CopyResult } from '../disk/copy.ts';
import type { Disk } from '../disk/disk.ts';
import { DiskError } from '../disk/error.ts';
import { openFile } from '../disk/file.ts';
import { openDisk } from '../disk/open.ts';
import { verifyDisk, verifySeal } from '../disk/verify.ts';
import type { Clock } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import { isErrno } from '../lib/files.ts';
import type { EngineEventBody, ExportTask } from '../protocol/engine.ts';
import { IpsError } from '../protocol/errors.ts';
import { ProgressMeter } from './progress.ts';
import { readBackError } from './share-errors.ts';
import { withFile } from './silent-server.ts';
import type { TargetShare } from './target-share.ts';

export interface VerifyStep {
  task: ExportTask;
  copied: CopyResult;
  share: TargetShare;
  clock: Clock;
  doors: Doors;
  emit: (event: EngineEventBody) => void;
  signal: AbortSignal;
}

/** @throws IpsError HASH_MISMATCH, SMB_UNREACHABLE, SMB_FAILED; the signal's reason */
export async function verifyOnShare(step: VerifyStep): Promise<void> {
  const mounted = await step.share.mount('verify', step.signal);
  try {
    const opening = openFile(join(mounted.folder, step.task.target.partialName), step.doors);
    await withFile(opening, (file) => verifyFile(step, file), step);
  } catch (error) {
    step.signal.throwIfAborted();
    if (error instanceof DiskError) throw new IpsError('HASH_MISMATCH', sentence(error), { cause: error });
    if (isErrno(error, 'ENOENT')) throw new IpsError('HASH_MISMATCH', 'The file is gone.', { cause: error });
    throw readBackError(error);
  } finally {
    await mounted.release();
  }
}

async function verifyFile(step: VerifyStep, access: RandomAccess): Promise<void> {
  const { task, copied, clock, emit, signal } = step;
  await verifySeal(access, copied.seal, signal);
  const disk = await openDisk(access, task.target.format);
  const { bytesRead, bytesSkipped, bytesWritten } = copied;
  const meter = new ProgressMeter(clock, emit, 'verify', await lengthToRead(disk));
  try {
    await verifyDisk(disk, copied, {
      signal,
      onProgress: (progress) => meter.advance({ bytesDone: progress.bytesRead, bytesRead, bytesSkipped, bytesWritten }),
    });
  } finally {
    meter.stop();
  }
}

async function lengthToRead(disk: Disk): Promise<number> {
  let bytes = 0;
  for await (const block of dataBlocks(disk.extents(), disk.virtualSize)) bytes += block.length;
  return bytes;
}

function sentence({ message }: DiskError): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}
