import { describe, expect, it } from '@jest/globals';
import { ProgressDisplay } from '../../../src/cli/progress.ts';
import { fakeScreen } from './screen.ts';

describe('the progress where there is no terminal', () => {
  it('is a line when the step changes and at each tenth, without control characters', () => {
    const screen = fakeScreen();
    const display = new ProgressDisplay(screen);
    display.show({ step: 'startEngine', overallProgressPercent: 2 });
    for (let percent = 8; percent <= 64; percent += 1) display.show({ step: 'copy', overallProgressPercent: percent });
    display.show({ step: 'verify', overallProgressPercent: 65 });
    display.note('info: note');
    display.end();
    const lines = screen.text.trimEnd().split('\n');
    expect(lines.map((line) => /\d+ %|note/.exec(line)?.[0])).toEqual([
      '2 %',
      '8 %',
      '10 %',
      '20 %',
      '30 %',
      '40 %',
      '50 %',
      '60 %',
      '65 %',
      'note',
    ]);
    for (const control of ['\r', '\u001b']) expect(screen.text).not.toContain(control);
  });

  it('has no late line of a step that is over', () => {
    const screen = fakeScreen();
    const display = new ProgressDisplay(screen);
    display.show({ step: 'verify', overallProgressPercent: 65 });
    display.show({ step: 'copy', overallProgressPercent: 65, secondsLeft: 0 });
    display.show({ step: 'copy', overallProgressPercent: 70 });
    expect(screen.text).toBe('[##################----------]  65 %  verifying what is on the share\n');
  });
});
