/** Backup and restore of a data folder, at their edges: damaged files, exposed folders, missing keys, a kill at any point. */
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { backUp, restore } from '../../../src/cloud/backup.ts';
import type { CloudConfig } from '../../../src/cloud/config.ts';
import { sqliteDialect } from '../../../src/cloud/store/sqlite/database.ts';
import { lockFolder } from '../../../src/cloud/store/sqlite/folder-lock.ts';
import { openStore, type Store } from '../../../src/cloud/store/store.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { settings } from './running-cloud.ts';

describe('a data folder', () => {
  let folder: string;
  let config: CloudConfig;
  const inside = (name: string) => join(folder, name);
  const bringBack = (doors = new Doors()) => restore(config, inside('backup'), doors, systemClock());

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ips-backup-'));
    await mkdir(inside('data'), { mode: 0o700 });
    config = settings(inside('data'));
    await writeFile(inside('data/wallet.key'), 'the key\n', { mode: 0o600 });
    await remember('first');
    await backUp(config, inside('backup'), new Doors());
    await remember('second');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function withStore<T>(use: (store: Store) => Promise<T>, database = inside('data/cloud.sqlite')): Promise<T> {
    const store = await openStore(sqliteDialect(database), new Doors());
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  }
  const remember = (name: string) =>
    withStore((store) => store.change('test', (tx) => tx.meta.addCustomer({ id: name, name, createdAt: name })));
  const customers = (database?: string) =>
    withStore(async (store) => (await store.meta.customers()).map(({ name }) => name), database);
  /** The databases that restores have set aside, the oldest first. */
  const kept = async () =>
    (await readdir(inside('data')))
      .filter((name) => /^cloud\.sqlite\.before-[-0-9T.]+Z$/.test(name))
      .sort()
      .map((name) => inside(`data/${name}`));
  const epoch = () => withStore((store) => store.meta.epoch());

  it('comes back as it was at the backup, under a newer epoch, and the old files stay beside', async () => {
    const before = await epoch();
    const raised = await bringBack();
    expect(raised).toBeGreaterThan(before);
    expect(await epoch()).toBe(raised);
    expect(await customers()).toEqual(['first']);
    expect(await kept()).toHaveLength(1);
    expect(await bringBack()).toBeGreaterThan(raised);
    expect(await kept()).toHaveLength(2);
  });

  it('is restored over a database that cannot be read, which is kept as it is', async () => {
    await writeFile(inside('data/cloud.sqlite'), 'not a database at all');
    await bringBack();
    expect(await customers()).toEqual(['first']);
    expect(await readFile((await kept())[0] ?? '', 'utf8')).toBe('not a database at all');
    await truncate(inside('data/cloud.sqlite'), 5_000);
    await bringBack();
    expect(await customers()).toEqual(['first']);
  });

  it('holds a database at every point of a restore, and a restore that was cut short can be run again', async () => {
    let points = 0;
    const count = () => {
      points += 1;
    };
    await bringBack(new Doors({ before: count, after: count }));
    expect(points).toBeGreaterThan(10);
    for (let stopAt = 0; stopAt < points; stopAt += 1) {
      let passed = 0;
      const pass = () => {
        passed += 1;
        if (passed > stopAt) throw new Error('killed');
      };
      await expect(bringBack(new Doors({ before: pass, after: pass }))).rejects.toThrow('killed');
      expect((await stat(inside('data/cloud.sqlite'))).size).toBeGreaterThan(0);
      expect(await customers()).toContain('first');
    }
    await bringBack();
    expect(await customers()).toEqual(['first']);
    expect(await customers((await kept())[0])).toEqual(['first', 'second']);
  });

  it('is not restored while a service uses it, nor from a folder without a backup', async () => {
    const lock = lockFolder(inside('data/lock.sqlite'));
    await expect(bringBack()).rejects.toMatchObject({ code: 'IN_USE' });
    lock.release();
    await expect(restore(config, inside('nothing'), new Doors(), systemClock())).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  it('is backed up into no folder that others may enter, whose mode stays, and over no other backup', async () => {
    await mkdir(inside('shared'));
    await chmod(inside('shared'), 0o777);
    await expect(backUp(config, inside('shared'), new Doors())).rejects.toMatchObject({ code: 'FILE_NOT_PRIVATE' });
    expect((await stat(inside('shared'))).mode & 0o777).toBe(0o777);
    await expect(backUp(config, inside('backup'), new Doors())).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    for (const name of ['cloud.sqlite', 'wallet.key'])
      expect([name, (await stat(inside(`backup/${name}`))).mode & 0o777]).toEqual([name, 0o600]);
  });

  it('is backed up and restored only by the user whose it is', async () => {
    await chown(inside('data'), 65_534, 65_534);
    const before = await readdir(inside('data'));
    await expect(bringBack()).rejects.toMatchObject({ code: 'WRONG_USER' });
    expect(await readdir(inside('data'))).toEqual(before);
  });

  it('is not backed up without the wallet key that opens its secrets', async () => {
    await rm(inside('data/wallet.key'));
    await expect(backUp(config, inside('another'), new Doors())).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('wallet.key'),
    });
  });
});
