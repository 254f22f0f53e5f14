/** A command line that commander refused, as an error of the catalogue. */
import type { CommanderError } from 'commander';
import { IpsError } from '../protocol/errors.ts';
import { oneLine } from './plain-text.ts';

export function asUsageError({ code, message }: CommanderError): IpsError {
  // Commander has printed the help and says no more.
  if (code === 'commander.help') return new IpsError('USAGE', 'A command is missing.');
  const said = oneLine(message.replace(/^error: /, ''));
  return new IpsError('USAGE', `${said.charAt(0).toUpperCase()}${said.slice(1)}${/[.)]$/.test(said) ? '' : '.'}`);
}
