/** A source and a target whose every read and write waits until the test lets it go on. */
import type { Disk, Extent } from '../../../src/disk/disk.ts';
import { MIB } from '../../../src/disk/units.ts';
import type { DiskWriter, FileSeal } from '../../../src/disk/writer.ts';

/** Waits for something that is sure to come; the test's own time limit is the only clock. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await turn();
  }
}

/** Gives what must not happen the time to happen: a hundred turns of the event loop, each with the disk's own reads. */
export async function aWhile(): Promise<void> {
  for (let count = 0; count < 100; count++) {
    await turn();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class ControlledDisk implements Disk {
  readonly virtualSize: number;
  /** Reads begun, by block of 4 MiB. */
  readonly begun: number[] = [];
  underWay = 0;
  mostUnderWay = 0;
  readonly #until: (block: number) => Promise<void>;

  constructor(blocks: number, until: (block: number) => Promise<void> = async () => undefined) {
    this.virtualSize = blocks * 4 * MIB;
    this.#until = until;
  }

  async *extents(): AsyncIterable<Extent> {
    yield { offset: 0, length: this.virtualSize, kind: 'data' };
  }

  async read(offset: number, buffer: Buffer): Promise<void> {
    const block = offset / (4 * MIB);
    this.begun.push(block);
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay);
    await turn();
    await this.#until(block);
    buffer.fill(block + 1);
    this.underWay--;
  }

  async close(): Promise<void> {}
}

export class ControlledWriter implements DiskWriter {
  readonly grain = 4 * MIB;
  readonly virtualSize: number;
  /** Writes begun, by block of 4 MiB. */
  readonly begun: number[] = [];
  bytesWritten = 0;
  finished = false;
  readonly #until: (block: number) => Promise<void>;

  constructor(virtualSize: number, until: (block: number) => Promise<void> = async () => undefined) {
    this.virtualSize = virtualSize;
    this.#until = until;
  }

  async writeBlock(offset: number, data: Buffer): Promise<void> {
    const block = offset / (4 * MIB);
    this.begun.push(block);
    await this.#until(block);
    this.bytesWritten += data.length;
  }

  async finish(): Promise<FileSeal> {
    this.finished = true;
    return { fileSize: this.bytesWritten, ranges: [] };
  }
}
