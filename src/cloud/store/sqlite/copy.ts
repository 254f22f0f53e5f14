/** A consistent copy of a database that may be in use, by SQLite's online backup (sqlite.org/backup.html). */
import { backup, DatabaseSync } from 'node:sqlite';
import type { Doors } from '../../../lib/doors.ts';

/** @param to must not exist yet; made with the caller's umask */
export async function copyDatabase(from: string, to: string, doors: Doors): Promise<void> {
  const source = new DatabaseSync(from, { readOnly: true });
  try {
    await doors.pass('file', 'database.copy', () => backup(source, to));
  } finally {
    source.close();
  }
}
