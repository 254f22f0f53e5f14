/**
 * The library's only way to the file system. Reads and writes are positioned, so calls may overlap; there is no cursor.
 *
 * Creating, resizing, flushing and closing a file pass the file door; single writes do not (one per block would be too
 * hot, and a torn write is what `flush` is for). Page cache is used: whoever must read past it mounts without cache.
 */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, readFile } from 'node:fs/promises';
import { Doors } from '../lib/doors.ts';
import type { RandomAccess, WritableAccess } from './access.ts';
import { checkRange } from './access.ts';
import { DiskError } from './error.ts';
import { SECTOR } from './units.ts';

class DiskFile implements WritableAccess {
  readonly #handle: FileHandle;
  readonly #doors: Doors;
  #size: number;

  constructor(handle: FileHandle, size: number, doors: Doors) {
    this.#handle = handle;
    this.#size = size;
    this.#doors = doors;
  }

  get size(): number {
    return this.#size;
  }

  async read(offset: number, buffer: Buffer): Promise<void> {
    checkRange(offset, buffer.length, this.#size);
    let done = 0;
    while (done < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, done, buffer.length - done, offset + done);
      if (bytesRead === 0) {
        throw new DiskError('TRUNCATED', 'the file became shorter while it was read', { offset: offset + done });
      }
      done += bytesRead;
    }
  }

  async write(offset: number, buffer: Buffer): Promise<void> {
    let done = 0;
    while (done < buffer.length) {
      const { bytesWritten } = await this.#handle.write(buffer, done, buffer.length - done, offset + done);
      done += bytesWritten;
    }
    this.#size = Math.max(this.#size, offset + buffer.length);
  }

  async truncate(size: number): Promise<void> {
    await this.#doors.pass('file', 'disk.resize', () => this.#handle.truncate(size));
    this.#size = size;
  }

  async flush(): Promise<void> {
    await this.#doors.pass('file', 'disk.flush', () => this.#handle.datasync());
  }

  async close(): Promise<void> {
    // Node closes the descriptor only after the operations under way on this handle have ended.
    await this.#doors.pass('file', 'disk.close', () => this.#handle.close());
  }
}

/**
 * Opens a regular file or a block device for reading.
 * @throws DiskError NOT_A_DISK; the system's error (ENOENT, EACCES, …)
 */
export async function openFile(path: string, doors: Doors = new Doors()): Promise<RandomAccess> {
  // Without O_NONBLOCK, opening a named pipe would hold a thread until somebody writes to it.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return new DiskFile(handle, await sizeOf(handle, path), doors);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Creates a regular file that must not exist yet, readable and writable, mode 0600.
 * @throws the system's error: EEXIST, EACCES, ENOSPC, …
 */
export async function createFile(path: string, doors: Doors = new Doors()): Promise<WritableAccess> {
  const handle = await doors.pass('file', 'disk.create', () =>
    open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600),
  );
  return new DiskFile(handle, 0, doors);
}

async function sizeOf(handle: FileHandle, path: string): Promise<number> {
  const stat = await handle.stat();
  if (stat.isFile()) {
    return stat.size;
  }
  if (!stat.isBlockDevice()) {
    throw new DiskError('NOT_A_DISK', `${path} is neither a file nor a block device`);
  }
  // stat says 0 for a device, and Node has neither ioctl nor lseek. The kernel counts in 512-byte sectors whatever the
  // device's own sector size (Documentation/ABI/stable/sysfs-block).
  const { major, minor } = deviceNumbers(stat.rdev);
  return Number(await readFile(`/sys/dev/block/${major}:${minor}/size`, 'utf8')) * SECTOR;
}

/** The inverse of glibc's gnu_dev_makedev. */
function deviceNumbers(rdev: number): { major: number; minor: number } {
  const bits = BigInt(rdev);
  return {
    major: Number(((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xfffff000n)),
    minor: Number((bits & 0xffn) | ((bits >> 12n) & 0xffffff00n)),
  };
}
