/**
 * One service a data folder: an exclusive lock that the kernel releases when its holder dies, however it dies. SQLite's
 * own file locks are used, since Node has no other.
 */
import { DatabaseSync } from 'node:sqlite';
import { IpsError } from '../../../protocol/errors.ts';

export interface FolderLock {
  release(): void;
}

/**
 * @param path the lock file, made when it is not there
 * @throws IpsError IN_USE while another process holds it
 */
export function lockFolder(path: string): FolderLock {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE;');
  } catch (error) {
    database.close();
    throw new IpsError('IN_USE', 'Another ips-cloud uses this data folder.', {
      cause: error,
      hint: 'Stop the other ips-cloud first.',
    });
  }
  return { release: () => database.close() };
}
