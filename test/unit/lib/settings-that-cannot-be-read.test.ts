/** A default configuration file may be missing; one that is there and cannot be read is never passed over. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { z } from 'zod';
import { loadSettings, SettingsError } from '../../../src/lib/settings.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'settings-'));
});
afterEach(() => rm(folder, { recursive: true }));

const load = (defaultFile: string, file?: string) =>
  loadSettings(
    { known: { slots: { doc: '', format: 'nat', default: 2 } }, checked: z.object({ slots: z.int() }), defaultFile },
    { file, environment: {}, flags: {} },
  );

it('is missing: the defaults hold', () => {
  expect(load(join(folder, 'config.json'))).toEqual({ slots: 2 });
});

it('is there: it is used', async () => {
  await writeFile(join(folder, 'config.json'), '{"slots": 5}');
  expect(load(join(folder, 'config.json'))).toEqual({ slots: 5 });
});

it('cannot be read', () => {
  expect(() => load(folder)).toThrow(SettingsError);
  expect(() => load(folder)).toThrow('EISDIR');
});

it('was named, and is missing', () => {
  expect(() => load(join(folder, 'a'), join(folder, 'b'))).toThrow(SettingsError);
});
