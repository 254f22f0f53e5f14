/**
 * The progress of one job: on a terminal a bar that is drawn over itself, elsewhere a plain line when the step changes
 * and at each tenth of the whole.
 */
import { type Progress, STEPS, type Step } from '../protocol/job.ts';
import { indented } from './plain-text.ts';
import { showBytes, showDuration, showRate } from './quantities.ts';

/** Widths of the bar, each from this many columns on; on less there is none. */
const BARS = [
  { columns: 96, width: 28 },
  { columns: 60, width: 12 },
];
const USUAL_COLUMNS = 80;

const STEP_TEXT: Readonly<Record<Step, string>> = {
  queued: 'waiting for a connector',
  credentials: 'getting credentials',
  preflight: 'checking source and share',
  startEngine: 'starting the engine',
  connectEngine: 'waiting for the engine',
  copy: 'copying',
  verify: 'verifying what is on the share',
  commit: 'putting the file in place',
  cleanup: 'cleaning up',
  done: 'done',
};

export interface Screen {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/**
 * One line without its end, shorter than `columns`: `[####----]  43 %  copying  120 MiB of 300 MiB  11.2 MiB/s  16s left`.
 * Where there is little room the bar is shorter, then bytes, rate and time left are left out, in this order.
 */
export function progressLine(progress: Progress, columns: number): string {
  const bar = drawBar(progress.overallProgressPercent, columns);
  const state = `${String(progress.overallProgressPercent).padStart(3)} %  ${STEP_TEXT[progress.step]}`;
  const { bytesRead, bytesTotal, rate, secondsLeft } = progress;
  const details = [
    progress.step === 'copy' && bytesRead !== undefined && bytesTotal !== undefined
      ? `${showBytes(bytesRead)} of ${showBytes(bytesTotal)}`
      : '',
    rate ? showRate(rate) : '',
    secondsLeft === undefined ? '' : `${showDuration(secondsLeft)} left`,
  ].filter(Boolean);
  const line = () => `${bar}${[state, ...details].join('  ')}`;
  while (line().length >= columns && details.length > 0) details.shift();
  return line().slice(0, columns - 1);
}

function drawBar(percent: number, columns: number): string {
  const width = BARS.find((bar) => columns >= bar.columns)?.width;
  if (width === undefined) return '';
  const done = Math.round((width * percent) / 100);
  return `[${'#'.repeat(done)}${'-'.repeat(width - done)}] `;
}

export class ProgressDisplay {
  readonly #screen: Screen;
  #last: Progress | undefined;
  /** The line that stands on the terminal. */
  #drawn = '';

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  show(progress: Progress): void {
    const before = this.#last;
    if (before && isBehind(progress, before)) return;
    this.#last = progress;
    if (this.#screen.isTTY) {
      this.#draw(progressLine(progress, this.#columns));
      return;
    }
    const tenth = (value: Progress) => Math.floor(value.overallProgressPercent / 10);
    if (before && before.step === progress.step && tenth(before) === tenth(progress)) return;
    this.#screen.write(`${progressLine(progress, Number.POSITIVE_INFINITY)}\n`);
  }

  /** Something to say between the progress; the bar is drawn anew below it. */
  note(text: string): void {
    const drawn = this.#drawn;
    if (drawn !== '') {
      this.#draw('');
      this.#screen.write('\r');
    }
    this.#screen.write(`${indented(text)}\n`);
    if (drawn !== '') this.#draw(drawn.slice(0, this.#columns - 1));
  }

  /** Ends the display: the bar stays where it was. */
  end(): void {
    if (this.#drawn !== '') this.#screen.write('\n');
    this.#drawn = '';
  }

  /** Nothing is left of a longer line before, and nothing is written beyond the edge, which would begin a new line. */
  #draw(line: string): void {
    this.#screen.write(`\r${line.padEnd(Math.min(this.#drawn.length, this.#columns - 1))}`);
    this.#drawn = line;
  }

  /** A terminal of unknown size says nothing or 0. */
  get #columns(): number {
    return this.#screen.columns || USUAL_COLUMNS;
  }
}

/** The stream of a job may tell an older progress after a step has changed: the display never goes back. */
function isBehind(progress: Progress, known: Progress): boolean {
  return (
    progress.overallProgressPercent < known.overallProgressPercent ||
    STEPS.indexOf(progress.step) < STEPS.indexOf(known.step)
  );
}
