/**
 * The file door: every change this house makes to files of its host, other than disk images (those are `disk/`).
 * What is written durably is synced, and so is its folder, before the call returns.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Doors } from './doors.ts';

export class Files {
  readonly #doors: Doors;

  constructor(doors: Doors) {
    this.#doors = doors;
  }

  /** Makes a folder (and its parents) that only its owner may enter. One that is there stays as it is, whosever it is. */
  async makePrivateFolder(path: string): Promise<void> {
    await this.#doors.pass('file', 'folder.make', () => mkdir(path, { recursive: true, mode: 0o700 }));
  }

  /**
   * Puts a file in place at once: a reader sees the old content or the new, never a part, also after a power cut.
   * @param mode permission bits, given to the file before any byte is in it
   */
  async writeDurably(path: string, data: string | Buffer, mode = 0o600): Promise<void> {
    await this.#doors.pass('file', 'file.replace', async () => {
      const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
      try {
        await writeSynced(temporary, data, mode);
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
      await syncFolder(dirname(path));
    });
  }

  /**
   * Creates a file that must not exist yet.
   * @throws Error with code EEXIST if there is one
   */
  async createExclusively(path: string, data: string | Buffer, mode = 0o600): Promise<void> {
    await this.#doors.pass('file', 'file.create', async () => {
      // Written aside and linked into place: nobody ever reads a part of it, and a link never replaces anything.
      const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
      try {
        await writeSynced(temporary, data, mode);
        await link(temporary, path);
      } finally {
        await rm(temporary, { force: true });
      }
      await syncFolder(dirname(path));
    });
  }

  /** Overwrites a file's bytes where they lie, with zeros, and syncs: for what must not be readable any more. */
  async overwriteWithZeros(path: string): Promise<void> {
    await this.#doors.pass('file', 'file.zero', async () => {
      const handle = await open(path, 'r+');
      try {
        const { size } = await handle.stat();
        await handle.write(Buffer.alloc(size), 0, size, 0);
        await handle.sync();
      } finally {
        await handle.close();
      }
    });
  }

  /** Removes a file or a whole folder; one that is not there counts as removed. */
  async remove(path: string): Promise<void> {
    await this.#doors.pass('file', 'file.remove', async () => {
      await rm(path, { recursive: true, force: true });
    });
  }
}

/** A new file, on the disk before this returns. */
async function writeSynced(path: string, data: string | Buffer, mode: number): Promise<void> {
  const handle = await open(path, 'wx', mode);
  try {
    await handle.writeFile(data);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The file's text, or undefined when there is none. Other failures are thrown. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Up to `length` bytes of a file from `offset` on; fewer, or none, where the file ends. */
export async function readRegion(path: string, offset: number, length: number): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Whether another user than the one we run as owns what is at this path: what we would make there is not theirs. */
export async function isAnothers(path: string): Promise<boolean> {
  return (await stat(path)).uid !== process.geteuid?.();
}

/** Whether anything is at this path. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return false;
    throw error;
  }
}

/** Whether `error` is a system error with this code, such as `ENOENT`. */
export function isErrno(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
