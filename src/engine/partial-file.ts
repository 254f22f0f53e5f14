/**
 * The temporary file on the share, from its creation to its final name or its removal. It is ours alone: its name holds
 * job and token, and it is created exclusively.
 */
import { join } from 'node:path';
import type { WritableAccess } from '../disk/access.ts';
import { createFile } from '../disk/file.ts';
import type { Doors } from '../lib/doors.ts';
import { exists, isErrno } from '../lib/files.ts';
import { IpsError, isIpsError } from '../protocol/errors.ts';
import { targetError } from './share-errors.ts';
import type { TargetShare } from './target-share.ts';

export interface TargetNames {
  fileName: string;
  partialName: string;
}

export class PartialFile {
  readonly #share: TargetShare;
  readonly #names: TargetNames;
  readonly #doors: Doors;
  /** Whether there may be something on the share that is ours to remove. */
  #mayExist = false;
  /** A rename was sent whose outcome we may not know. */
  #renameSent = false;

  constructor(share: TargetShare, names: TargetNames, doors: Doors) {
    this.#share = share;
    this.#names = names;
    this.#doors = doors;
  }

  /**
   * Creates it in the mounted target folder.
   * @throws IpsError TARGET_EXISTS when the final name is taken, TARGET_WRITE_FAILED when the partial one is,
   *   SMB_ACCESS_DENIED, SHARE_FULL, …; the signal's reason when it aborted before anything was made
   */
  async create(folder: string, signal: AbortSignal): Promise<WritableAccess> {
    const { fileName, partialName } = this.#names;
    try {
      if (await exists(join(folder, fileName))) throw new IpsError('TARGET_EXISTS', `(${fileName})`);
      // After an abort it would be made behind the back of whoever has just removed it.
      signal.throwIfAborted();
      this.#mayExist = true;
      return await createFile(join(folder, partialName), this.#doors);
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw targetError(error);
      this.#mayExist = false;
      throw new IpsError('TARGET_WRITE_FAILED', `Another engine made ${partialName}.`);
    }
  }

  /**
   * Gives the file its final name. May be called again after a failure: a rename whose answer was lost is recognised.
   * @param fileSize of the finished file, bytes
   * @throws IpsError TARGET_EXISTS; others leave it open whether the rename took place
   */
  async rename(fileSize: number, signal: AbortSignal): Promise<void> {
    const { fileName, partialName } = this.#names;
    const sentBefore = this.#renameSent;
    this.#renameSent = true;
    try {
      await this.#share.rename(partialName, fileName, signal);
    } catch (error) {
      // Only after an earlier try, or a try without an answer, can a missing partial file be the work of our rename.
      const answered = isIpsError(error) && error.code !== 'SMB_UNREACHABLE';
      if ((!answered || sentBefore) && (await this.#isRenamed(fileSize, signal))) return;
      throw isIpsError(error) && error.code === 'TARGET_EXISTS'
        ? new IpsError('TARGET_EXISTS', `(${fileName})`)
        : error;
    }
  }

  async #isRenamed(fileSize: number, signal: AbortSignal): Promise<boolean> {
    const { fileName, partialName } = this.#names;
    if ((await this.#share.size(partialName, signal)) !== undefined) return false;
    return (await this.#share.size(fileName, signal)) === fileSize;
  }

  /** Removes it if it may be there. After a rename that did take place there is nothing left to remove. */
  async remove(signal: AbortSignal): Promise<void> {
    if (!this.#mayExist) return;
    await this.#share.remove(this.#names.partialName, signal);
    this.#mayExist = false;
  }
}
