import { describe, expect, it } from '@jest/globals';
import { ProgressDisplay, progressLine } from '../../../src/cli/progress.ts';
import { type Progress, STEPS } from '../../../src/protocol/job.ts';
import { fakeScreen } from './screen.ts';

const MIB = 2 ** 20;
const copying: Progress = {
  step: 'copy',
  overallProgressPercent: 43,
  bytesRead: 120 * MIB,
  bytesTotal: 300 * MIB,
  rate: 11.2 * MIB,
  secondsLeft: 16,
};

/** What a terminal shows of the current line after these bytes. */
function lastLine(text: string): string {
  const line = text.split('\n').at(-1) ?? '';
  let shown = '';
  for (const part of line.split('\r')) shown = part + shown.slice(part.length);
  return shown.trimEnd();
}

describe('the progress on a terminal', () => {
  it('has a bar, percent, step, bytes, rate and time left', () => {
    expect(progressLine(copying, 120)).toBe(
      '[############----------------]  43 %  copying  120 MiB of 300 MiB  11.2 MiB/s  16s left',
    );
  });

  it('has all of it on 80 columns, and the time left on 40', () => {
    const usual = '[#####-------]  43 %  copying  120 MiB of 300 MiB  11.2 MiB/s  16s left';
    expect(progressLine(copying, 80)).toBe(usual);
    expect(progressLine(copying, 40)).toBe(' 43 %  copying  11.2 MiB/s  16s left');
  });

  it('is never wider than the terminal, so that it does not wrap, whatever its size is said to be', () => {
    const slow = { ...copying, bytesRead: 1023 * MIB, bytesTotal: 1023 * MIB, secondsLeft: 86_399 };
    for (const step of STEPS) {
      for (let columns = 1; columns <= 130; columns += 1)
        expect(progressLine({ ...slow, step }, columns).length).toBeLessThan(columns);
    }
    for (const columns of [0, undefined]) {
      const screen = fakeScreen({ isTTY: true, ...(columns === undefined ? {} : { columns }) });
      new ProgressDisplay(screen).show(copying);
      expect(lastLine(screen.text)).toBe(progressLine(copying, 80));
    }
  });

  it('does not wrap either after the terminal was made narrower', () => {
    const screen = fakeScreen({ isTTY: true, columns: 120 });
    const display = new ProgressDisplay(screen);
    display.show(copying);
    screen.columns = 40;
    screen.text = '';
    display.show({ ...copying, overallProgressPercent: 44 });
    screen.columns = 30;
    display.note('note');
    for (const part of screen.text.split(/[\r\n]/)) expect(part.length).toBeLessThan(40);
    expect(screen.text.split(/[\r\n]/).at(-1)?.length).toBeLessThan(30);
  });

  it('is drawn over itself, and a shorter line leaves nothing of a longer one', () => {
    const screen = fakeScreen({ isTTY: true, columns: 120 });
    const display = new ProgressDisplay(screen);
    display.show(copying);
    display.show({ step: 'commit', overallProgressPercent: 96 });
    expect(screen.text).not.toContain('\n');
    expect(lastLine(screen.text)).toBe('[###########################-]  96 %  putting the file in place');
  });

  it('never goes back', () => {
    const screen = fakeScreen({ isTTY: true, columns: 120 });
    const display = new ProgressDisplay(screen);
    display.show(copying);
    display.show({ ...copying, overallProgressPercent: 40 });
    expect(lastLine(screen.text)).toContain(' 43 %');
    display.show({ step: 'startEngine', overallProgressPercent: 43 });
    expect(lastLine(screen.text)).toContain('copying');
  });

  it('makes room for a note and is there again below it', () => {
    const screen = fakeScreen({ isTTY: true, columns: 120 });
    const display = new ProgressDisplay(screen);
    display.show(copying);
    display.note('warn: slow');
    const lines = screen.text.split('\n');
    expect(lastLine(lines[0] ?? '')).toBe('warn: slow');
    expect(lastLine(screen.text)).toBe(progressLine(copying, 120));
  });

  it('ends with its line, once', () => {
    const screen = fakeScreen({ isTTY: true, columns: 120 });
    const display = new ProgressDisplay(screen);
    display.end();
    expect(screen.text).toBe('');
    display.show(copying);
    display.end();
    display.end();
    expect(screen.text.split('\n')).toHaveLength(2);
  });
});
