import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createIdentity, loadIdentity, publicKeys, signText } from '../../../../src/connector/identity.ts';
import { requirePrivate, type StatePaths, statePaths } from '../../../../src/connector/state-folder.ts';
import { Doors } from '../../../../src/lib/doors.ts';
import { Files } from '../../../../src/lib/files.ts';
import { systemRandom } from '../../../../src/lib/random.ts';

describe('the state folder', () => {
  let paths: StatePaths;
  const files = new Files(new Doors());
  beforeEach(async () => {
    paths = statePaths(join(mkdtempSync(join(tmpdir(), 'ips-state-')), 'state'));
    await files.makePrivateFolder(paths.folder);
    await createIdentity(paths, files, systemRandom());
  });
  afterEach(() => rmSync(join(paths.folder, '..'), { recursive: true }));
  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

  it('and each file with a secret are made for their owner only', async () => {
    await requirePrivate(paths);
    expect(modeOf(paths.folder)).toBe('700');
    for (const path of [paths.signKey, paths.sealKey, paths.engineSecret])
      expect([path, modeOf(path)]).toEqual([path, '600']);
  });

  for (const [name, mode] of [
    ['folder', 0o750],
    ['signKey', 0o604],
    ['sealKey', 0o640],
    ['engineSecret', 0o620],
  ] as const) {
    it(`is refused when ${name} has mode ${mode.toString(8)}`, async () => {
      chmodSync(paths[name], mode);
      await expect(requirePrivate(paths)).rejects.toMatchObject({
        code: 'FILE_NOT_PRIVATE',
        message: expect.stringContaining(paths[name]),
      });
    });
  }

  it('may be reached by a symbolic link, whose own mode says nothing', async () => {
    const link = join(paths.folder, '..', 'link');
    symlinkSync(paths.folder, link);
    await requirePrivate(statePaths(link));
    chmodSync(paths.folder, 0o750);
    await expect(requirePrivate(statePaths(link))).rejects.toMatchObject({ code: 'FILE_NOT_PRIVATE' });
  });

  it('holds an identity that can be read back, and no other key passes for it', async () => {
    const identity = await loadIdentity(paths);
    expect(publicKeys(identity).signKey).toMatch(/^[\w-]{43}$/);
    expect(signText(identity, 'x')).toBe(signText(await loadIdentity(paths), 'x'));
    rmSync(paths.signKey);
    await expect(loadIdentity(paths)).rejects.toMatchObject({ code: 'CONNECTOR_REFUSED' });
    await files.writeDurably(paths.signKey, 'no key');
    await expect(loadIdentity(paths)).rejects.toMatchObject({ code: 'CONNECTOR_REFUSED' });
  });
});
