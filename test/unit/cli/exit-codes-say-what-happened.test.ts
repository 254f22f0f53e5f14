import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EXIT, exitCodeOfError, exitCodeOfJob } from '../../../src/cli/exit-codes.ts';
import { type ErrorCode, IpsError } from '../../../src/protocol/errors.ts';

describe('the exit code', () => {
  it.each<[ErrorCode, number]>([
    ['USAGE', 2],
    ['CONFIG_INVALID', 2],
    ['NOT_LOGGED_IN', 2],
    ['INTERRUPTED', 130],
    ['CLOUD_UNREACHABLE', 3],
    ['CLOUD_PIN_MISMATCH', 3],
    ['CLOUD_CERTIFICATE_REFUSED', 3],
    ['NOT_FOUND', 1],
    ['UNAUTHENTICATED', 1],
    ['INTERNAL', 1],
  ])('of %s is %d', (code, exit) => expect(exitCodeOfError(new IpsError(code))).toBe(exit));

  it.each([
    ['complete', 0],
    ['failed', 1],
    ['cancelled', 4],
  ] as const)('of a job that is %s is %d', (state, exit) => expect(exitCodeOfJob(state)).toBe(exit));

  it('stands in the guide, each with its meaning', async () => {
    const guide = await readFile(resolve(import.meta.dirname, '../../../docs/cli.md'), 'utf8');
    const documented = [...guide.matchAll(/^\| (\d+) \| \S/gm)].map(([, code]) => Number(code));
    expect(documented).toEqual(Object.values(EXIT));
  });
});
