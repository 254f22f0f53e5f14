/** Several test servers at once, stopped or orphaned: no process, mount or socket stays, and the host's own Samba is not touched. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../harness/eventually.ts';
import { captureHostState, compareHostState, describeHostItem, type HostState } from '../harness/host-state.ts';
import { startSamba } from '../harness/samba.ts';
import { smbclientList } from '../harness/smbclient.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';

const inside = temporaryFolder();

const appeared = async (before: HostState): Promise<string[]> =>
  compareHostState(before, await captureHostState()).appeared.map(describeHostItem);

/** Where the host's own Samba keeps its passwords. */
async function hostSamba(): Promise<string[]> {
  const folder = '/var/lib/samba';
  const names = await readdir(folder, { recursive: true });
  return Promise.all(names.map(async (name) => `${name} ${(await stat(path.join(folder, name))).mtimeMs}`));
}

describe('the samba server', () => {
  it('runs several times at once and leaves nothing', async () => {
    const before = await captureHostState();
    const untouched = await hostSamba();
    const servers = await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        startSamba({
          dir: inside(name),
          shares: [{ name: 'images', path: inside(`${name}-images`), limitMiB: 1 }],
          user: `user-${name}`,
          password: `password-${name}`,
        }),
      ),
    );
    expect(new Set(servers.map((server) => server.port)).size).toBe(3);
    for (const server of servers) {
      const password = server.user.replace('user', 'password');
      expect(
        await smbclientList({ host: server.host, port: server.port, share: 'images', user: server.user, password }),
      ).toEqual([]);
    }
    expect(await appeared(before)).not.toEqual([]);

    await Promise.all(servers.map((server) => server.stop()));
    expect(await appeared(before)).toEqual([]);
    expect(await hostSamba()).toEqual(untouched);
  });

  it('ends with a process that is killed', async () => {
    const before = await captureHostState();
    const options = {
      dir: inside('orphan'),
      shares: [{ name: 'images', path: inside('orphan-images'), limitMiB: 1 }],
      user: 'u',
      password: 'p',
    };
    const module = path.join(import.meta.dirname, '../harness/samba.ts');
    const program = `import { startSamba } from ${JSON.stringify(module)}; await startSamba(${JSON.stringify(options)}); console.log('up');`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(owner.stdout, 'data');
    expect((await appeared(before)).join('\n')).toContain('smbd');

    owner.kill('SIGKILL');
    await once(owner, 'close');
    await eventually(
      () => appeared(before),
      (items) => items.length === 0,
    );
  });
});
