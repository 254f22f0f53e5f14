/** An event's texts come from engines and platforms: however long they are, the event fits into a frame of the link. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Journal } from '../../../../src/connector/journal.ts';
import { LINK_MAX_FRAME_BYTES } from '../../../../src/protocol/link.ts';
import { accept, JOB, JournalFolder, TOKEN } from './journal-folder.ts';

const ENDLESS = '\u{1F4BE}'.repeat(600_000);

let folder: JournalFolder;
let journal: Journal;
beforeEach(async () => {
  folder = await JournalFolder.make();
  journal = folder.open();
  accept(journal);
});
afterEach(() => folder.remove());

it('cuts what an engine says without end', () => {
  journal.tell(JOB, TOKEN, { kind: 'log', level: 'error', message: ENDLESS });
  const error = { code: 'ENGINE_REFUSED', message: ENDLESS, hint: ENDLESS } as const;
  journal.end(JOB, TOKEN, { state: 'failed', result: { leftovers: [] }, error });
  const events = journal.outbox(10);
  expect(events.map(({ body }) => body.kind)).toEqual(['accepted', 'log', 'ended']);
  expect(JSON.stringify(events).length).toBeLessThan(LINK_MAX_FRAME_BYTES / 4);
});
