/** A command line that commander refused, as an error of the catalogue. */
import type { CommanderError } from 'commander';
import { refusedBecause } from '../lib/usage.ts';
import { IpsError } from '../protocol/errors.ts';
import { oneLine } from './plain-text.ts';

export function asUsageError(error: CommanderError): IpsError {
  return new IpsError('USAGE', oneLine(refusedBecause(error)));
}
