/** What was decided first stays: outcome, grant, end, acceptance, step. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Journal } from '../../../../src/connector/journal.ts';
import type { Outcome } from '../../../../src/connector/journal-job.ts';
import { hostUptime } from '../../../../src/lib/uptime.ts';
import { accept, JOB, JournalFolder, TOKEN } from './journal-folder.ts';

const COMPLETE: Outcome = { state: 'complete', result: { leftovers: [] } };
const CANCELLED: Outcome = { state: 'cancelled', result: { leftovers: [] } };

let folder: JournalFolder;
let journal: Journal;
beforeEach(async () => {
  folder = await JournalFolder.make();
  journal = folder.open();
  accept(journal);
});
afterEach(() => folder.remove());

const kinds = () => journal.outbox(100).map(({ body }) => body.kind);

it('keeps the first outcome', () => {
  journal.storeOutcome(JOB, TOKEN, COMPLETE);
  journal.storeOutcome(JOB, TOKEN, CANCELLED);
  expect(journal.job(JOB, TOKEN)).toMatchObject({ phase: 'finishing', outcome: COMPLETE });
});

it('takes no grant after an outcome', () => {
  journal.storeOutcome(JOB, TOKEN, CANCELLED);
  journal.storeGrant(JOB, TOKEN);
  expect(journal.job(JOB, TOKEN)?.phase).toBe('finishing');
});

it('ends with the outcome as it was told, with what is left', () => {
  journal.storeOutcome(JOB, TOKEN, COMPLETE);
  const told: Outcome = { state: 'complete', result: { leftovers: [{ kind: 'vm', name: 'vm-1' }] } };
  journal.end(JOB, TOKEN, told);
  expect(journal.job(JOB, TOKEN)).toMatchObject({ phase: 'leftover', outcome: told });
});

it('ends once, and an outcome afterwards changes nothing', () => {
  journal.storeOutcome(JOB, TOKEN, COMPLETE);
  journal.end(JOB, TOKEN, COMPLETE);
  journal.end(JOB, TOKEN, CANCELLED);
  journal.storeOutcome(JOB, TOKEN, CANCELLED);
  expect(kinds()).toEqual(['accepted', 'ended']);
  expect(journal.job(JOB, TOKEN)).toMatchObject({ phase: 'leftover', outcome: COMPLETE });
});

it('accepts once', () => {
  accept(journal);
  expect(kinds()).toEqual(['accepted']);
});

it('enters a step once, however it is entered', () => {
  const at = hostUptime();
  journal.enterStep(JOB, TOKEN, 'copy', at);
  journal.enterStep(JOB, TOKEN, 'copy', { ...at, ms: at.ms + 5 });
  const engine = { bootId: 'boot', version: '1', cursor: 3 };
  journal.follow(JOB, TOKEN, engine, { step: { step: 'copy', at } });
  journal.follow(JOB, TOKEN, engine, { step: { step: 'verify', at } });
  expect(kinds()).toEqual(['accepted', 'step', 'step']);
  expect(journal.job(JOB, TOKEN)).toMatchObject({ steps: { copy: at, verify: at }, engine });
});
