/**
 * Reads the data blocks of a disk, several at once, and hands each over in the disk's order.
 *
 * Memory is bounded: there are BUFFERS blocks, and reading waits for one that is free. While block n is at its turn, the
 * blocks after it are read and begun (hashed, say), so input, processor and output work at the same time.
 *
 * The first failure, or the signal, ends it at once. What is under way then is not waited for (a read from a dead server
 * may hang for minutes) and begins nothing new; closing the file waits for it.
 */
import type { DataBlock } from './blocks.ts';
import { HASH_BLOCK } from './content-hash.ts';
import type { Disk } from './disk.ts';
import { Gate } from './gate.ts';

/** 32 MiB of blocks. */
const BUFFERS = 8;
const READS_AT_ONCE = 2;

export interface Stages<T> {
  /** Called when a block was read, in any order: starts what may run beside other blocks. */
  begin(block: DataBlock, data: Buffer): T;
  /** Called in the disk's order, one at a time. The buffer is free again when it settles. */
  turn(block: DataBlock, data: Buffer, begun: T): Promise<void>;
}

/** @throws the signal's reason; what the disk or a stage throws */
export async function runPipeline<T>(
  disk: Disk,
  blocks: AsyncIterable<DataBlock>,
  stages: Stages<T>,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const failure = Promise.withResolvers<never>();
  let stopped = false;
  const stop = (reason: unknown) => {
    stopped = true;
    failure.reject(reason);
  };
  const onAbort = () => stop(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([failure.promise, readAll()]);
  } finally {
    stopped = true;
    signal?.removeEventListener('abort', onAbort);
  }

  async function readAll(): Promise<void> {
    const slots = new Gate(BUFFERS);
    const reads = new Gate(READS_AT_ONCE);
    const free: Buffer[] = [];
    let previous = Promise.resolve();
    for await (const block of blocks) {
      await slots.enter();
      if (stopped) {
        return;
      }
      const whole = free.pop() ?? Buffer.allocUnsafeSlow(HASH_BLOCK);
      const data = whole.subarray(0, block.length);
      const begun = reads.run(async () => {
        if (stopped) {
          return undefined;
        }
        await disk.read(block.offset, data);
        return stopped ? undefined : { value: stages.begin(block, data) };
      });
      previous = Promise.all([begun, previous])
        .then(async ([started]) => {
          if (started !== undefined && !stopped) {
            await stages.turn(block, data, started.value);
          }
          free.push(whole);
        })
        .finally(() => slots.leave());
      previous.catch(stop);
    }
    await previous;
  }
}
