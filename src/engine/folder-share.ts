/**
 * A folder in place of the share, for running the agent as a plain process: only the mount is replaced. The rename
 * refuses an existing target like a file server does, since a hard link never replaces anything.
 */
import { link, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Doors } from '../lib/doors.ts';
import { exists, isErrno } from '../lib/files.ts';
import { IpsError } from '../protocol/errors.ts';
import { targetError } from './share-errors.ts';
import type { MountedShare, TargetShare } from './target-share.ts';

export class FolderShare implements TargetShare {
  readonly #folder: string;
  readonly #doors: Doors;

  constructor(folder: string, doors: Doors) {
    this.#folder = folder;
    this.#doors = doors;
  }

  async size(name: string): Promise<number | undefined> {
    try {
      return (await stat(join(this.#folder, name))).size;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw targetError(error);
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#doors.pass('file', 'smb.rename', async () => {
      try {
        await link(join(this.#folder, from), join(this.#folder, to));
        await unlink(join(this.#folder, from));
      } catch (error) {
        throw isErrno(error, 'EEXIST') ? new IpsError('TARGET_EXISTS') : targetError(error);
      }
    });
  }

  async remove(name: string): Promise<void> {
    await this.#doors.pass('file', 'smb.remove', async () => {
      try {
        await unlink(join(this.#folder, name));
      } catch (error) {
        if (!isErrno(error, 'ENOENT')) throw targetError(error);
      }
    });
  }

  async mount(): Promise<MountedShare> {
    if (!(await exists(this.#folder))) throw new IpsError('SMB_FOLDER_NOT_FOUND');
    return { folder: this.#folder, release: async () => undefined };
  }
}
