/**
 * Copies a disk into a file: reads its data extents, leaves zeros out, hashes, writes in order. What the disk says is zeros
 * is not read. See `pipeline.ts` for memory, order and cancelling.
 */
import { AllocationMapDigest, FILTER_VERSION } from './allocation-map.ts';
import { dataBlocks } from './blocks.ts';
import { BlockDigests, BlockHasher } from './content-hash.ts';
import type { Disk, Extent } from './disk.ts';
import { DiskError } from './error.ts';
import { runPipeline } from './pipeline.ts';
import type { DiskWriter, FileSeal } from './writer.ts';
import { dataRuns } from './zero.ts';

/** All in bytes. */
export interface CopyProgress {
  /** Everything on the disk before this place is done. */
  readonly position: number;
  /** The disk's length. */
  readonly total: number;
  /** Read from the source. */
  readonly bytesRead: number;
  /** Known to be zeros, or left out by the map, and not read. `bytesRead + bytesSkipped = position`. */
  readonly bytesSkipped: number;
  /** Put into the target file, its own structures and padding included. */
  readonly bytesWritten: number;
}

export interface CopyRequest {
  source: Disk;
  writer: DiskWriter;
  /** Ends the copy at once with the signal's reason; the target file is then worth nothing. */
  signal?: AbortSignal;
  /** Called after each block that was read, and at the end; whoever needs fewer calls drops some. */
  onProgress?: (progress: CopyProgress) => void;
}

export interface CopyResult {
  /** Bytes. */
  readonly virtualSize: number;
  /** Over exactly the disk's bytes, as `content-hash.ts` defines it. */
  readonly contentHash: string;
  /** What the content hash was made of: `verifyDisk` names the block that differs by these. */
  readonly digests: BlockDigests;
  /** What else must be found in the file: for `verifySeal`. */
  readonly seal: FileSeal;
  readonly bytesRead: number;
  readonly bytesSkipped: number;
  readonly bytesWritten: number;
  /** What was read, as `allocation-map.ts` defines it. */
  readonly allocationMap: { readonly digest: string; readonly filterVersion: string };
}

/**
 * Copies and finishes the writer. The caller closes both files; the target is valid only when this returns.
 * @throws DiskError of the source's format or MISUSE; the signal's reason; the system's error
 */
export async function copyDisk({ source, writer, signal, onProgress }: CopyRequest): Promise<CopyResult> {
  const { virtualSize } = source;
  if (writer.virtualSize !== virtualSize) {
    throw new DiskError('MISUSE', `a disk of ${virtualSize} bytes does not go into one of ${writer.virtualSize}`);
  }
  const digests = new BlockDigests(virtualSize);
  const map = new AllocationMapDigest(virtualSize);
  const hasher = new BlockHasher();
  let bytesRead = 0;
  const report = (position: number) => {
    const bytesSkipped = position - bytesRead;
    onProgress?.({ position, total: virtualSize, bytesRead, bytesSkipped, bytesWritten: writer.bytesWritten });
  };

  await runPipeline(
    source,
    dataBlocks(recorded(source.extents(), map), virtualSize),
    {
      begin(_block, data) {
        const runs = dataRuns(data, writer.grain);
        return { runs, digest: runs.length === 0 ? undefined : started(hasher.hash(data)) };
      },
      async turn(block, data, { runs, digest }) {
        for (const { start, end } of runs) {
          signal?.throwIfAborted();
          await writer.writeBlock(block.offset + start, data.subarray(start, end));
        }
        if (digest !== undefined) {
          digests.set(block.index, await digest);
        }
        bytesRead += block.dataBytes;
        report(block.offset + block.length);
      },
    },
    signal,
  );
  const seal = await writer.finish();
  report(virtualSize);
  return {
    virtualSize,
    contentHash: digests.contentHash(),
    digests,
    seal,
    bytesRead,
    bytesSkipped: virtualSize - bytesRead,
    bytesWritten: writer.bytesWritten,
    allocationMap: { digest: map.digest(), filterVersion: FILTER_VERSION },
  };
}

async function* recorded(extents: AsyncIterable<Extent>, map: AllocationMapDigest): AsyncIterable<Extent> {
  for await (const extent of extents) {
    if (extent.kind === 'data') {
      map.add(extent);
    }
    yield extent;
  }
}

/** A promise that is awaited later, or never when the copy ends before: its failure then is nobody's. */
function started<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
