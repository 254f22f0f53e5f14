/**
 * The progress of one job: on a terminal a bar that is drawn over itself, elsewhere a plain line when the step changes
 * and at each tenth of the whole.
 */
import type { Progress, Step } from '../protocol/job.ts';
import { showBytes, showDuration, showRate } from './quantities.ts';

const BAR_WIDTH = 28;

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

/** One line without its end: `[####----]  43 % copying  120 MiB of 300 MiB  11.2 MiB/s  16s left`. */
export function progressLine(progress: Progress, width: number): string {
  const done = Math.round((BAR_WIDTH * progress.overallProgressPercent) / 100);
  const percent = String(progress.overallProgressPercent).padStart(3);
  const moving = progress.bytesTotal !== undefined && progress.bytesRead !== undefined;
  const parts = [
    `[${'#'.repeat(done)}${'-'.repeat(BAR_WIDTH - done)}] ${percent} %`,
    STEP_TEXT[progress.step],
    moving && progress.step === 'copy'
      ? `${showBytes(progress.bytesRead ?? 0)} of ${showBytes(progress.bytesTotal ?? 0)}`
      : '',
    progress.rate ? showRate(progress.rate) : '',
    progress.secondsLeft === undefined ? '' : `${showDuration(progress.secondsLeft)} left`,
  ];
  return parts
    .filter(Boolean)
    .join('  ')
    .slice(0, Math.max(20, width - 1));
}

export class ProgressDisplay {
  readonly #screen: Screen;
  #last: Progress | undefined;
  #shown = '';

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  show(progress: Progress): void {
    const before = this.#last;
    // The stream of a job may tell an older progress after a step has changed: the bar never goes back.
    if (before && progress.overallProgressPercent < before.overallProgressPercent) return;
    this.#last = progress;
    if (this.#screen.isTTY) {
      const line = progressLine(progress, this.#screen.columns ?? 80);
      this.#screen.write(`\r${line.padEnd(this.#shown.length)}`);
      this.#shown = line;
      return;
    }
    const tenth = (value: Progress) => Math.floor(value.overallProgressPercent / 10);
    if (before && before.step === progress.step && tenth(before) === tenth(progress)) return;
    this.#screen.write(`${progressLine(progress, Number.POSITIVE_INFINITY)}\n`);
  }

  /** Something to say between the progress; the bar is drawn anew below it. */
  note(text: string): void {
    this.#clear();
    this.#screen.write(`${text}\n`);
    if (this.#screen.isTTY) this.#screen.write(this.#shown);
  }

  /** Ends the display: the bar stays where it was. */
  end(): void {
    if (this.#screen.isTTY && this.#shown !== '') this.#screen.write('\n');
    this.#shown = '';
  }

  #clear(): void {
    if (this.#screen.isTTY && this.#shown !== '') this.#screen.write(`\r${' '.repeat(this.#shown.length)}\r`);
  }
}
