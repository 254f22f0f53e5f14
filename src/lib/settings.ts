/**
 * A program's settings through convict: defaults, then a JSON file, then the environment, then flags; the later one wins.
 * What convict has collected is checked once more by a schema, which knows more than convict's formats. No setting is a
 * secret.
 */
import { readFileSync } from 'node:fs';
import convict from 'convict';
import type { z } from 'zod';
import { isErrno } from './files.ts';

/** Names each setting that is unknown or does not fit, or the file that cannot be read. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/** Where settings come from, besides the defaults. */
export interface SettingsSources {
  /** Path of the configuration file; undefined: the default one, if it is there. */
  file: string | undefined;
  environment: Readonly<Record<string, string | undefined>>;
  /** Values by the names that the settings give as `arg`. */
  flags: Readonly<Record<string, string>>;
}

/** @throws SettingsError */
export function loadSettings<T>(
  settings: { known: convict.Schema<unknown>; checked: z.ZodType<T>; defaultFile: string },
  sources: SettingsSources,
): T {
  const file = readFile(sources.file, settings.defaultFile);
  let collected: unknown;
  try {
    const config = convict<unknown>(settings.known, {
      env: { ...sources.environment },
      args: Object.entries(sources.flags).flatMap(([name, value]) => [`--${name}`, value]),
    });
    config.load(file);
    config.validate({ allowed: 'strict' });
    collected = config.getProperties();
  } catch (error) {
    const problems = (error instanceof Error ? error.message : String(error)).replaceAll('\n', '; ');
    throw new SettingsError(`${problems}.`);
  }
  const checked = settings.checked.safeParse(collected);
  if (checked.success) return checked.data;
  const problems = checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new SettingsError(`${problems.join('; ')}.`);
}

function readFile(file: string | undefined, defaultFile: string): object {
  const path = file ?? defaultFile;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (file === undefined && isErrno(error, 'ENOENT')) return {};
    const reason = error instanceof Error ? error.message : String(error);
    throw new SettingsError(`${path} cannot be read: ${reason}.`, { cause: error });
  }
  const parsed = parseObject(text);
  if (!parsed) throw new SettingsError(`${path} does not hold a JSON object.`);
  return parsed;
}

function parseObject(text: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
