/**
 * Reads back what was written. Two checks together cover every byte of a file: `verifySeal` the format's own structures and
 * the file's length, `verifyDisk` the disk's bytes through the reader. Read past the page cache, or it says nothing about
 * what the server stored: open the file on a fresh mount without cache.
 */
import { createHash } from 'node:crypto';
import type { RandomAccess } from './access.ts';
import { dataBlocks } from './blocks.ts';
import { BlockDigests, BlockHasher, HASH_BLOCK } from './content-hash.ts';
import type { CopyResult } from './copy.ts';
import type { Disk } from './disk.ts';
import { DiskError } from './error.ts';
import { runPipeline } from './pipeline.ts';
import type { FileSeal } from './writer.ts';
import { isZero } from './zero.ts';

/** What the copy said. */
export type Expected = Pick<CopyResult, 'virtualSize' | 'contentHash' | 'digests'>;

export interface VerifyProgress {
  /** Everything on the disk before this place is verified, bytes. */
  readonly position: number;
  readonly total: number;
  readonly bytesRead: number;
}

export interface VerifyOptions {
  signal?: AbortSignal;
  onProgress?: (progress: VerifyProgress) => void;
}

export interface VerifyResult {
  readonly contentHash: string;
  readonly bytesRead: number;
}

/**
 * Hashes the disk and compares.
 * @throws DiskError SIZE_MISMATCH; CONTENT_MISMATCH naming the first block that differs; the reader's codes; the signal's reason
 */
export async function verifyDisk(
  disk: Disk,
  expected: Expected,
  { signal, onProgress }: VerifyOptions = {},
): Promise<VerifyResult> {
  const { virtualSize } = disk;
  if (virtualSize !== expected.virtualSize) {
    throw new DiskError('SIZE_MISMATCH', `the disk has ${virtualSize} bytes instead of ${expected.virtualSize}`);
  }
  const digests = new BlockDigests(virtualSize);
  const hasher = new BlockHasher();
  let next = 0;
  let bytesRead = 0;
  // What lies between the data blocks is zeros, and was not set in `digests`.
  const compareUpTo = (end: number) => {
    for (; next < end; next++) {
      if (!digests.get(next).equals(expected.digests.get(next))) {
        throw new DiskError('CONTENT_MISMATCH', `block ${next} of ${HASH_BLOCK} bytes is not what was written`, {
          offset: next * HASH_BLOCK,
        });
      }
    }
  };

  await runPipeline(
    disk,
    dataBlocks(disk.extents(), virtualSize),
    {
      begin(_block, data) {
        if (isZero(data)) {
          return undefined;
        }
        const digest = hasher.hash(data);
        digest.catch(() => undefined); // awaited below, or nobody's when the verification has ended
        return digest;
      },
      async turn(block, _data, digest) {
        if (digest !== undefined) {
          digests.set(block.index, await digest);
        }
        compareUpTo(block.index + 1);
        bytesRead += block.length;
        onProgress?.({ position: block.offset + block.length, total: virtualSize, bytesRead });
      },
    },
    signal,
  );
  compareUpTo(digests.count);
  const contentHash = digests.contentHash();
  if (contentHash !== expected.contentHash) {
    throw new DiskError('CONTENT_MISMATCH', `the content hash is ${contentHash} instead of ${expected.contentHash}`);
  }
  onProgress?.({ position: virtualSize, total: virtualSize, bytesRead });
  return { contentHash, bytesRead };
}

/**
 * Compares the file's length and all that is in it beside the disk's bytes.
 * @throws DiskError SEAL_MISMATCH naming the structure; TRUNCATED; the system's error
 */
export async function verifySeal(access: RandomAccess, seal: FileSeal, signal?: AbortSignal): Promise<void> {
  if (access.size !== seal.fileSize) {
    throw new DiskError('SEAL_MISMATCH', `the file has ${access.size} bytes instead of ${seal.fileSize}`);
  }
  for (const { offset, length, sha256, field } of seal.ranges) {
    signal?.throwIfAborted();
    const bytes = Buffer.allocUnsafe(length);
    await access.read(offset, bytes);
    if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
      throw new DiskError('SEAL_MISMATCH', `the ${field} is not what was written`, { offset, field });
    }
  }
}
