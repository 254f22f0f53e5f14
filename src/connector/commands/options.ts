/** What all commands share: the flags that set settings, and the doors and clocks that a process works with. */
import { type Command, Option } from 'commander';
import { systemClock } from '../../lib/clock.ts';
import { Doors } from '../../lib/doors.ts';
import { createLogger, type Logger } from '../../lib/logging.ts';
import { systemRandom } from '../../lib/random.ts';
import { CONFIG_FLAGS, type ConnectorConfig, DEFAULT_CONFIG_FILE, loadConfig } from '../config.ts';

/** What is still on its way when a long-running process is through may take this long, in ms. */
export const LAST_WORDS_MS = 1_000;

/** Parsed flags of a command, by commander's names. */
export type Flags = Readonly<Record<string, unknown>>;

export function addConfigOptions(command: Command): Command {
  command.addOption(new Option('--config <file>', `configuration file (default: ${DEFAULT_CONFIG_FILE})`));
  for (const { flag, doc } of CONFIG_FLAGS) command.addOption(new Option(`--${flag} <value>`, doc));
  return command;
}

/** @throws IpsError CONFIG_INVALID */
export function configOf(flags: Flags): ConnectorConfig {
  const file = flags.config;
  return loadConfig({
    file: typeof file === 'string' ? file : undefined,
    environment: process.env,
    flags: Object.fromEntries(settingsOf(flags)),
  });
}

function settingsOf(flags: Flags): [string, string][] {
  return CONFIG_FLAGS.flatMap(({ flag }) => {
    const value = flags[flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())];
    return typeof value === 'string' ? [[flag, value]] : [];
  });
}

export function systemTools() {
  return { doors: new Doors(), clock: systemClock(), random: systemRandom() };
}

export function loggerOf(config: ConnectorConfig): Logger {
  return createLogger({ program: 'ips-connector', ...config.log });
}

/** Aborts on SIGINT and SIGTERM. A second one ends the process by its default. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort(new Stopped(name)));
  return controller.signal;
}

/** Somebody told the process to stop: no failure. */
export class Stopped extends Error {}
