/** Files that hold a secret and their folders: made for their owner only, and refused when anybody else may read them. */
import { stat } from 'node:fs/promises';
import { type Files, isAnothers, isErrno, readIfThere } from '../lib/files.ts';
import { IpsError } from '../protocol/errors.ts';

/**
 * Makes a folder for files with secrets, or looks whether the one that is there will do.
 * @throws IpsError FILE_NOT_PRIVATE when its group or the world may enter it, WRONG_USER when it is another user's
 */
export async function requirePrivateFolder(files: Files, path: string): Promise<void> {
  await files.makePrivateFolder(path);
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0)
    throw new IpsError('FILE_NOT_PRIVATE', `It is the folder ${path}.`, {
      hint: `Name a folder of its own, or run "chmod go= ${path}" if nobody else needs it.`,
    });
  if (await isAnothers(path)) throw new IpsError('WRONG_USER', `The folder ${path} is another user's.`);
}

/**
 * The file's text, or undefined when there is none.
 * @throws IpsError FILE_NOT_PRIVATE when its group or the world may read it
 */
export async function readPrivate(path: string): Promise<string | undefined> {
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) throw new IpsError('FILE_NOT_PRIVATE', `It is ${path}.`);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  return await readIfThere(path);
}

/** The file's text; made from `create` when there is none. */
export async function readOrCreatePrivate(
  files: Files,
  path: string,
  create: () => Promise<string> | string,
): Promise<string> {
  const known = await readPrivate(path);
  if (known !== undefined) return known;
  const text = await create();
  await files.createExclusively(path, text, 0o600);
  return text;
}
