import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OutboxSender } from '../../../../src/connector/outbox-sender.ts';
import type { JobEvent } from '../../../../src/protocol/event.ts';
import type { ToCloud } from '../../../../src/protocol/link.ts';
import { JOB, TestClock, testJournal } from './doubles.ts';

describe('the outbox', () => {
  let world: ReturnType<typeof testJournal>;
  let clock: TestClock;
  let batches: JobEvent[][];
  let isUp: boolean;
  let sender: OutboxSender;
  beforeEach(() => {
    clock = new TestClock();
    world = testJournal(clock);
    world.accept();
    batches = [];
    isUp = true;
    sender = newSender();
  });
  afterEach(() => world.remove());

  function newSender(): OutboxSender {
    const send = (message: ToCloud) => {
      if (isUp && message.type === 'events') batches.push(message.events);
      return isUp;
    };
    return new OutboxSender(world.journal, send, clock);
  }
  const log = (message: string) => world.journal.tell(JOB.jobId, JOB.token, { kind: 'log', level: 'info', message });
  const seqs = () => batches.map((batch) => batch.map(({ seq }) => seq));
  const stored = (seq: number) => sender.stored([{ ...JOB, seq }]);

  it('has one batch on its way, of at most 200 events, the next after the answer', () => {
    for (let n = 0; n < 250; n += 1) log('x');
    sender.linkUp();
    sender.nudge();
    expect(batches.map((batch) => batch.length)).toEqual([200]);
    stored(200);
    expect(batches.map((batch) => batch.length)).toEqual([200, 51]);
    expect(batches[1]?.[0]?.seq).toBe(201);
    stored(251);
    expect(world.journal.outbox(10)).toEqual([]);
    log('one more');
    sender.nudge();
    expect(seqs().at(-1)).toEqual([252]);
  });

  it('is bounded in bytes as well, and sends an event that is larger alone', () => {
    // Many findings: the text of one log line is cut by the journal.
    const found = (kib: number) =>
      world.journal.tell(JOB.jobId, JOB.token, {
        kind: 'findings',
        findings: Array(kib).fill({ severity: 'info', code: 'LONG', message: 'x'.repeat(1024) }),
      });
    for (let n = 0; n < 3; n += 1) found(300);
    found(700);
    sender.linkUp();
    for (const seq of [2, 3, 4, 5]) stored(seq);
    expect(seqs()).toEqual([[1, 2], [3], [4], [5]]);
  });

  it('keeps what was not stored, and sends it again after a reconnect', () => {
    log('x');
    sender.linkUp();
    sender.linkDown();
    isUp = false;
    log('y');
    sender.nudge();
    isUp = true;
    sender.linkUp();
    expect(seqs()).toEqual([
      [1, 2],
      [1, 2, 3],
    ]);
    stored(2);
    expect(seqs().at(-1)).toEqual([3]);
  });

  it('outlives its process', () => {
    sender.linkUp();
    sender = newSender();
    sender.linkUp();
    expect(seqs()).toEqual([[1], [1]]);
  });

  it('does not hammer a cloud that stores nothing of it', () => {
    sender.linkUp();
    for (let n = 0; n < 5; n += 1) stored(0);
    expect(batches).toHaveLength(1);
    clock.advance(30_000);
    expect(seqs()).toEqual([[1], [1]]);
  });
});
