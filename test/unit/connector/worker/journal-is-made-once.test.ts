/** Several processes may come to a new journal, or to one of an older release, at the same time: one of them makes it. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Journal } from '../../../../src/connector/journal.ts';
import { MIGRATIONS } from '../../../../src/connector/journal-job.ts';
import { openJournal, statePaths } from '../../../../src/connector/state-folder.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { Doors } from '../../../../src/lib/doors.ts';
import { accept, JOB, TOKEN } from './journal-folder.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ips-journal-'));
  path = statePaths(folder).journal;
});
afterEach(() => rmSync(folder, { recursive: true }));

const clock = systemClock();

/** Doors at which somebody else is faster, once, just before `point`. */
function overtakenAt(point: string, act: () => void): Doors {
  let done = false;
  const before = (_door: string, at: string) => {
    if (at !== point || done) return;
    done = true;
    act();
  };
  return new Doors({ before, after: () => undefined });
}

it('when another one makes the tables between the look and the work', () => {
  const other = () => new Journal(path, new Doors(), clock).close();
  const journal = new Journal(path, overtakenAt('migrate', other), clock);
  accept(journal);
  expect(journal.job(JOB, TOKEN)?.crashes).toBe(0);
  journal.close();
});

it('when another one makes the file between the look and the work', async () => {
  const doors = overtakenAt('file.create', () => writeFileSync(path, '', { mode: 0o600 }));
  const journal = await openJournal(statePaths(folder), { doors, clock });
  accept(journal);
  journal.close();
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it('and one of an older release keeps what it holds', () => {
  const old = new DatabaseSync(path);
  old.exec(`${MIGRATIONS[0]} PRAGMA user_version = 1;`);
  old.exec(`INSERT INTO jobs (job_id, token, parameters, limits, phase, accepted_at, attempts)
            VALUES ('${JOB}', '${TOKEN}', '{}', '{}', 'running', '{}', 3)`);
  old.close();
  const journal = new Journal(path, new Doors(), clock);
  expect(journal.job(JOB, TOKEN)).toMatchObject({ phase: 'running', crashes: 3 });
  journal.close();
});
