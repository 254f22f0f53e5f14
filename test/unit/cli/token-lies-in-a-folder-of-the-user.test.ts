import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { isAbsolute, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Deployments } from '../../../src/cli/deployments.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { Files } from '../../../src/lib/files.ts';
import { Secret } from '../../../src/lib/secret.ts';

const deployment = {
  name: 'eu',
  url: new URL('https://ips.example.com'),
  trust: { kind: 'ca' },
  token: new Secret('ips_token'),
} as const;

describe('the configuration', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ips-config-'));
  });
  afterEach(async () => rm(folder, { recursive: true, force: true }));

  const store = (environment: Record<string, string>) =>
    new Deployments(new Files(new Doors()), environment).store(deployment);
  const stored = (path: string) => readFile(join(folder, path, 'ips/config.json'), 'utf8');

  it('is where XDG_CONFIG_HOME says', async () => {
    await store({ XDG_CONFIG_HOME: join(folder, 'xdg'), HOME: folder });
    expect(await stored('xdg')).toContain('ips_token');
  });

  it('is in the home folder where XDG_CONFIG_HOME is empty or relative, never below the working folder', async () => {
    for (const wanted of ['', '.', relative(process.cwd(), join(folder, 'relative'))]) {
      await store({ XDG_CONFIG_HOME: wanted, HOME: folder });
      expect(await stored('.config')).toContain('ips_token');
      await rm(join(folder, '.config'), { recursive: true });
    }
    await expect(stored('relative')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is not below the working folder where HOME is empty either', async () => {
    const paths: string[] = [];
    const files = new Files(new Doors());
    files.makePrivateFolder = async (path) => {
      paths.push(path);
    };
    files.writeDurably = async () => undefined;
    await new Deployments(files, { HOME: '' }).store(deployment);
    expect(paths).toEqual([join(userInfo().homedir, '.config/ips')]);
    expect(isAbsolute(paths[0] ?? '')).toBe(true);
  });
});
