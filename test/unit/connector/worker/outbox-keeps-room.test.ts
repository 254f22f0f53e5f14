/** The outbox is bounded for log lines, and always has room for what must be told. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { accept, JOB, JournalFolder, TOKEN } from './journal-folder.ts';

let folder: JournalFolder;
beforeEach(async () => {
  folder = await JournalFolder.make();
});
afterEach(() => folder.remove());

it('drops log lines when it is full, without a gap in the numbers, and takes the rest', () => {
  const journal = folder.open();
  accept(journal);
  journal.transaction('test', () => {
    for (let i = 0; i < 6_000; i += 1) journal.append(JOB, TOKEN, { kind: 'log', level: 'info', message: `${i}` });
  });
  const full = journal.outbox(10_000);
  expect(full).toHaveLength(5_000);
  journal.tell(JOB, TOKEN, { kind: 'step', step: 'verify' });
  journal.end(JOB, TOKEN, { state: 'complete', result: { leftovers: [] } });
  const events = journal.outbox(10_000);
  expect(events.slice(5_000).map(({ seq, body }) => `${seq} ${body.kind}`)).toEqual(['5001 step', '5002 ended']);
});
