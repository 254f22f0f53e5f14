/** A file in memory that remembers how it was written. */
import type { WritableAccess } from '../../../src/disk/access.ts';
import { checkRange } from '../../../src/disk/access.ts';

export type Change =
  | { kind: 'write'; offset: number; bytes: Buffer }
  | { kind: 'resize'; size: number }
  | { kind: 'flush' };

export class MemoryAccess implements WritableAccess {
  readonly changes: Change[] = [];
  readonly reads: { offset: number; length: number }[] = [];
  #bytes: Buffer;

  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.#bytes = bytes;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  async read(offset: number, buffer: Buffer): Promise<void> {
    checkRange(offset, buffer.length, this.size);
    this.reads.push({ offset, length: buffer.length });
    this.#bytes.copy(buffer, 0, offset);
  }

  async write(offset: number, buffer: Buffer): Promise<void> {
    const bytes = Buffer.from(buffer);
    this.changes.push({ kind: 'write', offset, bytes });
    this.#resize(Math.max(this.size, offset + bytes.length));
    bytes.copy(this.#bytes, offset);
  }

  async truncate(size: number): Promise<void> {
    this.changes.push({ kind: 'resize', size });
    this.#resize(size);
  }

  async flush(): Promise<void> {
    this.changes.push({ kind: 'flush' });
  }

  async close(): Promise<void> {}

  #resize(size: number): void {
    if (size <= this.size) {
      this.#bytes = this.#bytes.subarray(0, size);
      return;
    }
    const grown = Buffer.alloc(size);
    this.#bytes.copy(grown);
    this.#bytes = grown;
  }
}
