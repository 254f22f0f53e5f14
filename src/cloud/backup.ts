/**
 * Backup and restore of what the service cannot be rebuilt from: the database, the wallet key, and its own TLS key.
 * A restore raises the epoch, so that no token that was given away after the backup can come again. Both hold the whole
 * database in memory for a moment.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import { exists, Files } from '../lib/files.ts';
import { IpsError } from '../protocol/errors.ts';
import type { CloudConfig } from './config.ts';
import { dataPaths } from './data-folder.ts';
import { readPrivate, requirePrivateFolder } from './private-file.ts';
import { copyDatabase } from './store/sqlite/copy.ts';
import { sqliteDialect } from './store/sqlite/database.ts';
import { lockFolder } from './store/sqlite/folder-lock.ts';
import { openStore } from './store/store.ts';

const NAMES = { database: 'cloud.sqlite', walletKey: 'wallet.key', ownTls: 'tls.pem' } as const;

/**
 * Copies everything into `folder`, which is made with mode 0700; the service may be running.
 * @throws IpsError CONFIG_INVALID when there is nothing to back up, ALREADY_EXISTS when the folder has a backup,
 *   FILE_NOT_PRIVATE when others may enter it
 */
export async function backUp(config: CloudConfig, folder: string, doors: Doors): Promise<void> {
  const files = new Files(doors);
  const paths = dataPaths(config);
  if (!(await exists(paths.database))) throw new IpsError('CONFIG_INVALID', `${paths.database} is not there.`);
  if (await exists(join(folder, NAMES.database))) throw new IpsError('ALREADY_EXISTS', `${folder} holds a backup.`);
  await requirePrivateFolder(files, folder);
  const walletKey = await readPrivate(paths.walletKey);
  if (walletKey === undefined)
    throw new IpsError('CONFIG_INVALID', `The wallet key ${paths.walletKey} is not there.`, {
      hint: 'Give the same --config or --wallet-key-file as to "serve".',
    });
  await files.writeDurably(join(folder, NAMES.walletKey), walletKey);
  const ownTls = await readPrivate(paths.ownTls);
  if (ownTls !== undefined) await files.writeDurably(join(folder, NAMES.ownTls), ownTls);
  // Last, and under another name until it is whole: a folder with a database is a whole backup.
  const partial = join(folder, `${NAMES.database}.partial`);
  await files.remove(partial);
  await copyDatabase(paths.database, partial, doors);
  await files.writeDurably(join(folder, NAMES.database), await readFile(partial));
  await files.remove(partial);
}

/**
 * Puts a backup in place of what is there; the old files stay beside the new ones as `*.before-TIME`. Killed at any
 * point it leaves a folder with a database, old or new, and may be run again: what an earlier run kept stays.
 * @returns the epoch from now on
 * @throws IpsError CONFIG_INVALID when there is no backup, IN_USE while a service runs on the data folder, WRONG_USER when
 *   that is another user's
 */
export async function restore(config: CloudConfig, folder: string, doors: Doors, clock: Clock): Promise<number> {
  const files = new Files(doors);
  const paths = dataPaths(config);
  const source = join(folder, NAMES.database);
  if (!(await exists(source))) throw new IpsError('CONFIG_INVALID', `${folder} holds no backup.`);
  await requirePrivateFolder(files, paths.folder);
  const lock = lockFolder(paths.lock);
  const before = `.before-${clock.wall().toISOString().replaceAll(':', '-')}`;
  try {
    for (const name of ['walletKey', 'ownTls'] as const) {
      const text = await readPrivate(join(folder, NAMES[name]));
      if (text !== undefined) await replace(files, paths[name], text, before);
    }
    const staged = join(paths.folder, 'restore.sqlite');
    await removeDatabase(files, staged);
    await files.writeDurably(staged, await readFile(source));
    const epoch = await raiseEpoch(staged, await setAside(files, paths.database, before, doors), doors, clock);
    // What is left of the old one beside its main file is in the copy, and must not be taken for the new one's.
    await files.remove(`${paths.database}-wal`);
    await files.remove(`${paths.database}-shm`);
    await files.writeDurably(paths.database, await readFile(staged));
    await removeDatabase(files, staged);
    return epoch;
  } finally {
    lock.release();
  }
}

async function replace(files: Files, path: string, text: string, before: string): Promise<void> {
  const old = await readPrivate(path);
  if (old === text) return;
  if (old !== undefined) await files.writeDurably(path + before, old);
  await files.writeDurably(path, text);
}

/**
 * Copies the database that is there to `*.before-TIME`. One that cannot be read, which may be why somebody restores,
 * is copied byte by byte.
 * @returns its epoch; 0 when it has none to tell
 */
async function setAside(files: Files, database: string, before: string, doors: Doors): Promise<number> {
  if (!(await exists(database))) return 0;
  const kept = database + before;
  await removeDatabase(files, kept);
  try {
    await copyDatabase(database, kept, doors);
    return await epochOf(database, doors);
  } catch {
    for (const suffix of ['', '-wal']) {
      if (await exists(database + suffix)) await files.writeDurably(kept + suffix, await readFile(database + suffix));
    }
    return 0;
  }
}

async function epochOf(database: string, doors: Doors): Promise<number> {
  const store = await openStore(sqliteDialect(database), doors);
  try {
    return await store.meta.epoch();
  } finally {
    await store.close();
  }
}

/**
 * One backup may be restored twice, on two machines that know nothing of each other: the seconds of the wall clock keep
 * their epochs apart. If the clock is wrong, the epoch still grows.
 */
async function raiseEpoch(database: string, current: number, doors: Doors, clock: Clock): Promise<number> {
  const store = await openStore(sqliteDialect(database), doors);
  try {
    const seconds = Math.floor(clock.wall().getTime() / 1000);
    const epoch = Math.max((await store.meta.epoch()) + 1, current + 1, seconds);
    await store.change('epoch.raise', (tx) => tx.meta.setEpoch(epoch));
    return epoch;
  } finally {
    await store.close();
  }
}

async function removeDatabase(files: Files, path: string): Promise<void> {
  for (const suffix of ['-wal', '-shm', '']) await files.remove(`${path}${suffix}`);
}
