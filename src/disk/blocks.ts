/** Cuts a disk into blocks of the content hash's size and tells which of them hold data. */

import { HASH_BLOCK } from './content-hash.ts';
import type { Extent } from './disk.ts';

export interface DataBlock {
  /** Number of the block on the disk, counted in HASH_BLOCK. */
  readonly index: number;
  /** Place on the disk, bytes. */
  readonly offset: number;
  /** Bytes; less than HASH_BLOCK for the last block only. */
  readonly length: number;
  /** Bytes of the block that are in data extents, above zero. */
  readonly dataBytes: number;
}

/** The blocks that touch a data extent, ascending; what lies between them is zeros. */
export async function* dataBlocks(extents: AsyncIterable<Extent>, virtualSize: number): AsyncGenerator<DataBlock> {
  let index = 0;
  let dataBytes = 0;
  const block = () => {
    const offset = index * HASH_BLOCK;
    return { index, offset, length: Math.min(HASH_BLOCK, virtualSize - offset), dataBytes };
  };
  for await (const extent of extents) {
    if (extent.kind === 'zero') {
      continue;
    }
    const end = extent.offset + extent.length;
    for (let position = extent.offset; position < end; ) {
      const here = Math.floor(position / HASH_BLOCK);
      if (here !== index) {
        if (dataBytes > 0) {
          yield block();
        }
        index = here;
        dataBytes = 0;
      }
      const stop = Math.min(end, (here + 1) * HASH_BLOCK);
      dataBytes += stop - position;
      position = stop;
    }
  }
  if (dataBytes > 0) {
    yield block();
  }
}
