/**
 * The state folder (0700): everything that makes this appliance this connector. Files with secrets are 0600. Nothing
 * is used that others could have read.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import { exists, Files, isAnothers, isErrno } from '../lib/files.ts';
import { IpsError } from '../protocol/errors.ts';
import type { Platform } from '../protocol/job.ts';
import { Journal } from './journal.ts';

export interface StatePaths {
  folder: string;
  /** Who we are paired with. Written last when pairing, removed last when unpairing: with it we are paired. */
  pairing: string;
  /** The last generation that the cloud issued. */
  generation: string;
  /** Ed25519 private key, PEM. */
  signKey: string;
  /** X25519 private key, PEM. */
  sealKey: string;
  /** 64 hex digits. */
  engineSecret: string;
  journal: string;
  /** What the daemon says of itself, for `ips-connector status`. */
  health: string;
  /** Each provider's own files. */
  provider(platform: Platform): string;
}

export function statePaths(folder: string): StatePaths {
  return {
    folder,
    pairing: join(folder, 'pairing.json'),
    generation: join(folder, 'generation'),
    signKey: join(folder, 'sign.key'),
    sealKey: join(folder, 'seal.key'),
    engineSecret: join(folder, 'engine.secret'),
    journal: join(folder, 'journal.db'),
    health: join(folder, 'health.json'),
    provider: (platform) => join(folder, platform),
  };
}

/** Files that none but the owner may read; the journal holds sealed credentials only, yet whose jobs is private too. */
function privateFiles(paths: StatePaths): string[] {
  return [paths.signKey, paths.sealKey, paths.engineSecret, paths.pairing, paths.generation, paths.journal];
}

/**
 * Looks at the modes of the folder and of each file with secrets that is there, and whose the folder is.
 * @throws IpsError FILE_NOT_PRIVATE naming the first that group or others can use; WRONG_USER
 */
export async function requirePrivate(paths: StatePaths): Promise<void> {
  for (const path of [paths.folder, ...privateFiles(paths)]) {
    const mode = await modeOf(path);
    if (mode !== undefined && (mode & 0o077) !== 0)
      throw new IpsError('FILE_NOT_PRIVATE', `${path} has mode 0${(mode & 0o777).toString(8)}.`, {
        hint: `Run "chmod go= ${path}" and consider what it holds exposed.`,
      });
  }
  if ((await exists(paths.folder)) && (await isAnothers(paths.folder)))
    throw new IpsError('WRONG_USER', `The folder ${paths.folder} is another user's.`);
}

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Opens the journal; a new one is made for its owner only, whatever the umask. SQLite's own files beside it follow. */
export async function openJournal(
  paths: StatePaths,
  { doors, clock }: { doors: Doors; clock: Clock },
): Promise<Journal> {
  if (!(await exists(paths.journal)))
    await new Files(doors).createExclusively(paths.journal, '').catch((failure: unknown) => {
      // Another process was faster: its file is the one.
      if (!isErrno(failure, 'EEXIST')) throw failure;
    });
  return new Journal(paths.journal, doors, clock);
}
