/** The guard of a run that is killed ends what the run has started in its folder, and nothing else. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../../harness/eventually.ts';
import { guardLeftovers } from '../../harness/leftover-guard.ts';
import { readProcesses } from '../../harness/proc-files.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';

const inside = temporaryFolder();
const GUARD = join(import.meta.dirname, '../../harness/leftover-guard.ts');

/** A process that stands for a virtual machine: detached, and known by a path in its arguments. */
function detachedIn(folder: string): number {
  const child = spawn('tail', ['--follow=name', '--retry', `${folder}/vm/pid`], { detached: true, stdio: 'ignore' });
  child.unref();
  return child.pid ?? 0;
}
const isAlive = async (pid: number) => (await readProcesses()).some((each) => each.pid === pid && !each.zombie);

describe('the guard', () => {
  it.each(['plain', 'c++ [a](b)'])('of a killed run ends what runs in "%s" and removes it', async (name) => {
    const folder = inside(name);
    await mkdir(folder);
    const mine = detachedIn(folder);
    const other = detachedIn(`${folder}-other`);
    const program = `const { guardLeftovers } = await import(${JSON.stringify(GUARD)});
      guardLeftovers(${JSON.stringify(folder)}); console.log('guarded'); setInterval(() => undefined, 1000);`;
    const run = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(run.stdout, 'data');
    run.kill('SIGKILL');
    await once(run, 'exit');
    await eventually(
      () => isAlive(mine),
      (alive) => !alive,
    );
    await eventually(
      () =>
        access(folder).then(
          () => true,
          () => false,
        ),
      (isThere) => !isThere,
    );
    expect(await isAlive(other)).toBe(true);
    process.kill(other, 'SIGKILL');
  });

  it('that is dismissed touches nothing', async () => {
    const folder = inside('dismissed');
    await mkdir(folder);
    const mine = detachedIn(folder);
    await guardLeftovers(folder).dismiss();
    await access(folder);
    expect(await isAlive(mine)).toBe(true);
    process.kill(mine, 'SIGKILL');
  });
});
