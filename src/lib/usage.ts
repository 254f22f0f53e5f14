/** Command lines: what the programs' options and their refusals have in common. */
import type { CommanderError } from 'commander';

/**
 * For options that may be given several times, each with one value; a list would swallow the argument that follows it.
 * Commander calls it once a value.
 */
export function several(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/** What is wrong with a command line that commander refused, as a sentence. */
export function refusedBecause({ code, message }: CommanderError): string {
  // Commander has printed the help and says no more.
  if (code === 'commander.help') return 'A command is missing.';
  const said = message.replace(/^error: /, '');
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}${/[.)]$/.test(said) ? '' : '.'}`;
}
