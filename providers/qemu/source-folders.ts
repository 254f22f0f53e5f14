/**
 * The fence around source images: a name counts only after every symbolic link in it is resolved, and only when what
 * it resolves to is a plain file below one of the source folders.
 */
import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, sep } from 'node:path';
import { isErrno } from '../../src/lib/files.ts';
import { fileId, type KnownFile } from './held-files.ts';

export type Located =
  | ({ kind: 'inside' } & KnownFile)
  | { kind: 'missing' }
  | { kind: 'outside' }
  /** A folder, a device, a socket: nothing that can be an image file. */
  | { kind: 'noFile' };

export class SourceFolders {
  readonly #folders: readonly string[];

  constructor(folders: readonly string[]) {
    this.#folders = folders;
  }

  /** Where `name` (an absolute path) really is. A name with `..` in it is outside, wherever it leads. */
  async locate(name: string): Promise<Located> {
    if (!isAbsolute(name) || name.split(sep).includes('..') || name.includes('\0')) return { kind: 'outside' };
    const path = await unlessMissing(realpath(name));
    if (path === undefined) return { kind: 'missing' };
    const folders = await Promise.all(this.#folders.map((folder) => unlessMissing(realpath(folder))));
    if (!folders.some((folder) => folder !== undefined && isBelow(path, folder))) return { kind: 'outside' };
    const facts = await unlessMissing(stat(path, { bigint: true }));
    if (facts === undefined) return { kind: 'missing' };
    return facts.isFile() ? { kind: 'inside', path, id: fileId(facts) } : { kind: 'noFile' };
  }
}

/** Undefined for what is not there; a storage that fails says nothing about what is on it. */
async function unlessMissing<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}
