/**
 * A look into the journal by somebody who does not work with it: nothing is made, migrated or written, whoever looks and
 * whatever release wrote it. (SQLite lays its own `-shm` and `-wal` beside it, for the journal's owner also as root.)
 */
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** How long a look waits for a writer, in ms. */
const PATIENCE_MS = 10_000;

/** The jobs in the journal at this path, oldest first; none where there is no journal. */
export function listJobs(path: string): { jobId: string; token: string; phase: string }[] {
  if (!existsSync(path)) return [];
  const journal = new DatabaseSync(path, { readOnly: true, timeout: PATIENCE_MS });
  try {
    // Version 0: whoever makes it has not come to its tables yet.
    if (journal.prepare('PRAGMA user_version').get()?.user_version === 0) return [];
    return journal
      .prepare('SELECT job_id, token, phase FROM jobs ORDER BY rowid')
      .all()
      .map((row) => ({ jobId: String(row.job_id), token: String(row.token), phase: String(row.phase) }));
  } finally {
    journal.close();
  }
}
