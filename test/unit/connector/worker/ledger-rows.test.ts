/** A ledger row: intent, made, gone, each told to the cloud in the same transaction; an open row is never doubled. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { TAGS } from '../../../../providers/contract.ts';
import type { Journal } from '../../../../src/connector/journal.ts';
import { JobLedger } from '../../../../src/connector/ledger.ts';
import { Doors } from '../../../../src/lib/doors.ts';
import { systemRandom } from '../../../../src/lib/random.ts';
import { accept, JOB, JournalFolder, TOKEN } from './journal-folder.ts';

let folder: JournalFolder;
let journal: Journal;
beforeEach(async () => {
  folder = await JournalFolder.make();
  journal = folder.open();
  accept(journal);
});
afterEach(() => folder.remove());

function ledger(token = TOKEN): JobLedger {
  const tools = { journal, doors: new Doors(), random: systemRandom() };
  return new JobLedger(tools, { jobId: JOB, token, connectorId: 'connector-1' });
}

const told = () => journal.outbox(100).flatMap(({ body }) => (body.kind === 'ledger' ? [body.row] : []));

it('goes from intent to made to gone, and each is told', () => {
  const row = ledger().intent('vm', 'vm-1', { removeWith: 'destroy vm-1' });
  expect(row.tags).toEqual({ [TAGS.job]: JOB, [TAGS.token]: TOKEN, [TAGS.connector]: 'connector-1' });
  ledger().made(row, 'platform-1');
  expect(ledger().open()).toEqual([{ ...row, state: 'made', platformId: 'platform-1' }]);
  ledger().gone(row);
  expect(ledger().open()).toEqual([]);
  expect(told().map(({ state }) => state)).toEqual(['intent', 'made', 'gone']);
});

it('gives an open row back, also to another process, and a new one after it is gone', () => {
  const row = ledger().intent('vm', 'vm-1');
  expect(ledger().intent('vm', 'vm-1')).toEqual(row);
  expect(ledger().intent('disk', 'vm-1').id).not.toBe(row.id);
  ledger().gone(row);
  expect(ledger().intent('vm', 'vm-1').id).not.toBe(row.id);
});

it('lists oldest first, and only its own token', () => {
  accept(journal, JOB, '1.2');
  ledger('1.2').intent('vm', 'other');
  for (const name of ['b', 'a', 'c']) ledger().intent('file', name);
  expect(
    ledger()
      .open()
      .map(({ name }) => name),
  ).toEqual(['b', 'a', 'c']);
});

it('writes nothing when the event cannot be told', () => {
  journal.forget(JOB, TOKEN);
  expect(() => ledger().intent('vm', 'vm-1')).toThrow('no job');
  expect(ledger().open()).toEqual([]);
});
