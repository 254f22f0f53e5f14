/**
 * One export: copy the source disk into a partial file on the share, read it back past every cache, and at the word of
 * the lease holder give it its final name. Whatever ends it earlier, `discard` takes the partial file away.
 */
import type { CopyResult } from '../disk/copy.ts';
import { type Clock, deadlineSignal } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import type { EngineEventBody, ExportTask, Verified } from '../protocol/engine.ts';
import { IpsError } from '../protocol/errors.ts';
import { copyToShare } from './export-copy.ts';
import { verifyOnShare } from './export-verify.ts';
import { PartialFile } from './partial-file.ts';
import type { TargetShare } from './target-share.ts';
import type { RunnableTask } from './task-runner.ts';

/** The connector waits for two minutes for a commit's answer; this is below it, in ms. */
const COMMIT_MS = 100_000;
/** Longest time for removing the partial file, in ms. */
const DISCARD_MS = 60_000;

export interface ExportTools {
  clock: Clock;
  doors: Doors;
  share: TargetShare;
  /** Path of the source disk, found and set read-only. */
  openSource: (signal: AbortSignal) => Promise<string>;
  emit: (event: EngineEventBody) => void;
}

export class RunningExport implements RunnableTask {
  readonly #task: ExportTask;
  readonly #tools: ExportTools;
  readonly #partial: PartialFile;
  #fileSize = 0;

  constructor(task: ExportTask, tools: ExportTools) {
    this.#task = task;
    this.#tools = tools;
    this.#partial = new PartialFile(tools.share, task.target, tools.doors);
  }

  async run(signal: AbortSignal): Promise<Verified> {
    // What is left to itself after an abort has nothing more to tell.
    const emit = (event: EngineEventBody) => {
      if (!signal.aborted) this.#tools.emit(event);
    };
    const tools = { ...this.#tools, task: this.#task, emit, signal };
    emit({ kind: 'step', step: 'copy' });
    const source = await tools.openSource(signal);
    const copied = await copyToShare({ ...tools, source, partial: this.#partial });
    emit({ kind: 'step', step: 'verify' });
    await verifyOnShare({ ...tools, copied });
    this.#fileSize = copied.seal.fileSize;
    return verified(copied);
  }

  async commit(): Promise<void> {
    const late = () => new IpsError('SMB_UNREACHABLE', 'The rename was not answered in time.');
    const limit = deadlineSignal(this.#tools.clock, COMMIT_MS, late);
    try {
      await this.#partial.rename(this.#fileSize, limit.signal);
    } finally {
      limit.release();
    }
  }

  async discard(): Promise<void> {
    const late = () => new IpsError('SMB_UNREACHABLE', 'The removal was not answered in time.');
    const limit = deadlineSignal(this.#tools.clock, DISCARD_MS, late);
    try {
      await this.#partial.remove(limit.signal);
    } finally {
      limit.release();
    }
  }
}

function verified(copied: CopyResult): Verified {
  const algorithm = 'content/sha256-4m';
  const value = copied.contentHash;
  const wholeSource = copied.bytesRead === copied.virtualSize;
  return {
    virtualSize: copied.virtualSize,
    fileSize: copied.seal.fileSize,
    hashes: [
      { algorithm, scope: 'copy', value },
      ...(wholeSource ? [{ algorithm, scope: 'source', value } as const] : []),
    ],
    allocationDigest: copied.allocationMap.digest,
    filterVersion: copied.allocationMap.filterVersion,
    bytesRead: copied.bytesRead,
    bytesSkipped: copied.bytesSkipped,
    bytesWritten: copied.bytesWritten,
  };
}
