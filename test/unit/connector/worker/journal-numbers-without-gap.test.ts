/** Events of one job and token count from 1 without a gap, also when two processes write, and tokens do not share. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { accept, JOB, JournalFolder, TOKEN } from './journal-folder.ts';

let folder: JournalFolder;
beforeEach(async () => {
  folder = await JournalFolder.make();
});
afterEach(() => folder.remove());

it('counts each token by itself', () => {
  const journal = folder.open();
  accept(journal, JOB, '1.1');
  accept(journal, JOB, '1.2');
  journal.tell(JOB, '1.1', { kind: 'step', step: 'copy' });
  journal.tell(JOB, '1.2', { kind: 'step', step: 'copy' });
  expect(journal.outbox(10).map(({ token, seq }) => `${token} ${seq}`)).toEqual(['1.1 1', '1.2 1', '1.1 2', '1.2 2']);
});

it('goes on counting when everything before was acknowledged', () => {
  const journal = folder.open();
  accept(journal);
  journal.acknowledge([{ jobId: JOB, token: TOKEN, seq: 1 }]);
  journal.tell(JOB, TOKEN, { kind: 'step', step: 'copy' });
  expect(journal.outbox(10).map(({ seq }) => seq)).toEqual([2]);
});

it('has no gap and no repeat when two processes write at the same time', async () => {
  const journal = folder.open();
  accept(journal);
  const writer = join(import.meta.dirname, 'journal-writer.ts');
  const codes = await Promise.all(
    ['a', 'b'].map(
      (name) =>
        new Promise((resolve) =>
          fork(writer, [folder.path, JOB, TOKEN, name, '100'], { execArgv: [] }).once('exit', resolve),
        ),
    ),
  );
  expect(codes).toEqual([0, 0]);
  const events = journal.outbox(1000);
  expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 201 }, (_, index) => index + 1));
  const of = (name: string) =>
    events.flatMap(({ body }) => (body.kind === 'log' && body.message.startsWith(name) ? [body.message] : []));
  expect(of('a')).toEqual(Array.from({ length: 100 }, (_, index) => `a ${index}`));
  expect(of('b')).toHaveLength(100);
}, 60_000);
