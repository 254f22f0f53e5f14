import { describe, expect, it } from '@jest/globals';
import type { Context } from '../../../src/cli/context.ts';
import { print } from '../../../src/cli/context.ts';
import { historyText, jobText, logText } from '../../../src/cli/job-text.ts';
import { indented, plainError } from '../../../src/cli/plain-text.ts';
import { ProgressDisplay } from '../../../src/cli/progress.ts';
import { facts, table } from '../../../src/cli/table.ts';
import { applianceSchema, createJobSchema } from '../../../src/protocol/rest.ts';
import { jobView } from '../../integration/client/job-view.ts';
import { fakeScreen } from './screen.ts';

/** Each would do something on a terminal: colour, CSI as one character, bell, delete, carriage return, reading order. */
const CONTROLS = ['\u001b', '\u009b', '\u0007', '\u007f', '\r', '\u202e', '\u2066', '\u200f', '\u2028'];
const EVIL = `a${CONTROLS.join('')}b\nc\td`;

function expectHarmless(text: string): void {
  for (const control of [...CONTROLS, '\t']) expect(text).not.toContain(control);
}

describe('text that others wrote', () => {
  it('stands in one line of a table and of facts', () => {
    expect(table(['name'], [[EVIL]], 'None.')).toBe('NAME\nab c d');
    expect(facts([['note', EVIL]])).toBe('note  ab c d');
  });

  it('keeps its aligned columns', () => {
    expect(table(['name', 'state'], [[EVIL, 'up']], 'None.')).toBe('NAME    STATE\nab c d  up');
  });

  it('cannot pass for a line of ours where several lines are shown', () => {
    expect(indented('one\ntwo\u001b[2J')).toBe('one\n  two[2J');
    expect(plainError({ code: 'X', message: 'bad\nerror Y: no', hint: 'do\nthat' })).toBe(
      'error X: bad\n  error Y: no\n  → do\n  that',
    );
  });

  it('is plain in a job: note, source, target, findings, error, what is left behind', () => {
    const job = jobView('failed');
    job.note = EVIL;
    job.createdBy = EVIL;
    job.connector = EVIL;
    job.parameters.source.path = `/${EVIL}`;
    job.findings = [{ severity: 'warning', code: EVIL, message: EVIL, remedy: EVIL }];
    job.error = { code: EVIL, message: EVIL, hint: EVIL };
    job.openLedger = [{ id: 'r', kind: EVIL, name: EVIL, state: 'made', tags: {}, removeWith: EVIL }];
    const text = jobText(job);
    expectHarmless(text);
    expect(text).toContain('\nleft behind: ab c d ab c d\n');
    expect(text).toContain('\nnote       ab c d\n');
    // No line begins with what stood behind a line feed.
    for (const line of text.split('\n')) expect(line).not.toMatch(/^c d/);
  });

  it('is plain in the log and the history of a job', () => {
    const at = '2026-11-23T12:00:00.000Z';
    const level = 'warn';
    expect(logText([{ at, level, message: EVIL }]).slice(21)).toBe('warn   ab\n  c d');
    const body = { kind: 'log', level, message: EVIL } as const;
    const text = historyText([{ id: 1, jobId: 'job-a', token: '1.1', seq: 1, at, connector: EVIL, body }]);
    expectHarmless(text);
    expect(text).not.toContain('\n');
    expect(text).toContain('  ab c d  log       {');
  });

  it('is plain in a note between the progress', () => {
    const screen = fakeScreen();
    new ProgressDisplay(screen).note(`warn: ${EVIL}`);
    expect(screen.text).toBe('warn: ab\n  c d\n');
  });

  it('is plain in whatever a command prints, and escaped in JSON, which says the same', () => {
    const out = fakeScreen();
    const context = { out } as unknown as Context;
    print(context, {}, EVIL, (text) => text);
    expect(out.text).toBe('ab\nc d\n');
    out.text = '';
    print(context, { json: true }, { note: EVIL }, () => '');
    expectHarmless(out.text);
    expect(JSON.parse(out.text)).toEqual({ note: EVIL });
  });
});

describe('the cloud service takes no such text', () => {
  const { parameters } = jobView('queued');

  it.each(CONTROLS)('with %j in the note of a job', (control) => {
    const job = { resourceLocation: 'london', parameters, note: `a${control}b` };
    expect(createJobSchema.safeParse(job).success).toBe(false);
    expect(createJobSchema.safeParse({ ...job, note: 'naïve – 日本 😀' }).success).toBe(true);
  });

  it.each([...CONTROLS, '\n', ' ', 'é'])('with %j in the version of an appliance', (character) => {
    const appliance = { name: 'a', signKey: 'A'.repeat(43), sealKey: 'A'.repeat(43) };
    expect(applianceSchema.safeParse({ ...appliance, version: `1.0${character}` }).success).toBe(false);
    expect(applianceSchema.safeParse({ ...appliance, version: '1.0.0-rc.1+5' }).success).toBe(true);
  });
});
