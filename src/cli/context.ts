/** What every command is given: where to print, whom to ask, and the tools it may use. */
import { IpsClient } from '../client/client.ts';
import type { Clock } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import type { RandomSource } from '../lib/random.ts';
import type { Deployments } from './deployments.ts';
import { plainJson, plainText } from './plain-text.ts';
import type { Screen } from './progress.ts';

export interface Context {
  deployments: Deployments;
  doors: Doors;
  clock: Clock;
  random: RandomSource;
  /** Results only. */
  out: Screen;
  /** Progress, notes and errors. */
  err: Screen;
  /** Aborts on Ctrl-C, with INTERRUPTED as its reason. */
  interrupted: AbortSignal;
  setExitCode(code: number): void;
}

/** Options that every command has. */
export interface CommonOptions {
  json?: boolean;
  deployment?: string;
}

/** A client for the deployment that was picked. */
export function connect(context: Context, options: CommonOptions): IpsClient {
  return new IpsClient(context.deployments.pick(options.deployment), context);
}

/** Prints an answer: as JSON when asked, else as `plain` renders it. */
export function print<T>(context: Context, options: CommonOptions, answer: T, plain: (answer: T) => string): void {
  context.out.write(`${options.json ? plainJson(answer, 2) : plainText(plain(answer))}\n`);
}
