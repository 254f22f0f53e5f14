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
  /** The connector's user may not look there, or it is no name that can be looked at. */
  | { kind: 'unreadable' }
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
    try {
      const path = await realpath(name);
      const folders = await Promise.all(this.#folders.map((folder) => realpath(folder).catch(() => undefined)));
      if (!folders.some((folder) => folder !== undefined && isBelow(path, folder))) return { kind: 'outside' };
      const facts = await stat(path, { bigint: true });
      return facts.isFile() ? { kind: 'inside', path, id: fileId(facts) } : { kind: 'noFile' };
    } catch (error) {
      const kind = WHY_NOT.find(([, codes]) => codes.some((code) => isErrno(error, code)))?.[0];
      // A storage that fails says nothing about what is on it.
      if (kind === undefined) throw error;
      return { kind };
    }
  }
}

const WHY_NOT = [
  ['missing', ['ENOENT', 'ENOTDIR']],
  ['unreadable', ['EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG']],
] as const;

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}
