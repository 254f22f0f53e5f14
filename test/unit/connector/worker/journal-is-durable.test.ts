/** The journal syncs every commit, and a change and the event that tells of it are one transaction. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Journal } from '../../../../src/connector/journal.ts';
import { accept, JOB, JournalFolder, TOKEN } from './journal-folder.ts';

let folder: JournalFolder;
let journal: Journal;
beforeEach(async () => {
  folder = await JournalFolder.make();
  journal = folder.open();
});
afterEach(() => folder.remove());

it('writes ahead and syncs fully', () => {
  expect(journal.database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  // 2 is FULL: the log is synced at each commit (https://sqlite.org/pragma.html#pragma_synchronous).
  expect(journal.database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
});

it('takes a change back with its event', () => {
  accept(journal);
  const before = journal.outbox(10);
  expect(() =>
    journal.transaction('test', () => {
      journal.append(JOB, TOKEN, { kind: 'step', step: 'copy' });
      throw new Error('half-way');
    }),
  ).toThrow('half-way');
  expect(journal.outbox(10)).toEqual(before);
  journal.tell(JOB, TOKEN, { kind: 'step', step: 'copy' });
  expect(journal.outbox(10).map(({ seq }) => seq)).toEqual([1, 2]);
});

it('tells that the disk is full, and goes on when it no longer is', () => {
  accept(journal);
  const pages = Number(journal.database.prepare('PRAGMA page_count').get()?.page_count);
  journal.database.exec(`PRAGMA max_page_count = ${pages + 1}`);
  const fill = () => {
    for (let n = 0; n < 100; n += 1)
      journal.tell(JOB, TOKEN, { kind: 'log', level: 'info', message: 'x'.repeat(4_000) });
  };
  expect(fill).toThrow('database or disk is full');
  journal.database.exec('PRAGMA max_page_count = 1000000');
  fill();
});

it('refuses a file of a newer release', () => {
  journal.database.exec('PRAGMA user_version = 99');
  expect(() => folder.open()).toThrow('newer release');
});

it('is the same after it was closed and opened again', () => {
  accept(journal);
  journal.storeGrant(JOB, TOKEN);
  const again = folder.open();
  expect(again.job(JOB, TOKEN)).toEqual(journal.job(JOB, TOKEN));
  expect(again.job(JOB, TOKEN)?.phase).toBe('committing');
});
