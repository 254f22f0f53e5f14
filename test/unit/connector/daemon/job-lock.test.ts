import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { acquireJobLock, type JobLock, jobLockName } from '../../../../src/connector/job-lock.ts';
import { systemClock } from '../../../../src/lib/clock.ts';

const clock = systemClock();

describe('the lock of a job', () => {
  const held: JobLock[] = [];
  let holder: ChildProcess | undefined;
  afterEach(async () => {
    holder?.kill('SIGKILL');
    for (const lock of held.splice(0)) await lock.release();
  });

  it('lets one in, and the next when that one is done', async () => {
    const name = jobLockName(`/nowhere/${process.pid}`, 'job-a');
    const first = await acquireJobLock(name, clock, AbortSignal.timeout(5_000));
    await expect(acquireJobLock(name, clock, AbortSignal.timeout(250))).rejects.toMatchObject({ name: 'TimeoutError' });
    const waiting = acquireJobLock(name, clock, AbortSignal.timeout(5_000));
    await first.release();
    held.push(await waiting);
  });

  it('is free again when its holder was killed', async () => {
    const name = jobLockName(`/nowhere/${process.pid}`, 'job-b');
    const module = new URL('../../../../src/connector/job-lock.ts', import.meta.url).pathname;
    const script = `
      const { acquireJobLock } = await import(${JSON.stringify(module)});
      const { systemClock } = await import(${JSON.stringify(module.replace('connector/job-lock', 'lib/clock'))});
      await acquireJobLock(${JSON.stringify(name)}, systemClock(), new AbortController().signal);
      console.log('held'); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    holder = child;
    await once(child.stdout, 'data');
    await expect(acquireJobLock(name, clock, AbortSignal.timeout(250))).rejects.toMatchObject({ name: 'TimeoutError' });
    child.kill('SIGKILL');
    held.push(await acquireJobLock(name, clock, AbortSignal.timeout(5_000)));
  });

  it('does not stand between two state folders, and is one for one folder, however it is spelt', () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ips-lock-')));
    try {
      const [state, link, above] = [join(folder, 'state'), join(folder, 'link'), join(folder, 'above')];
      symlinkSync(state, link);
      symlinkSync(folder, above);
      const beforeItIsMade = jobLockName(join(above, 'state'), 'job-1');
      mkdirSync(state);
      const names = [state, `${state}/`, `${folder}/./state`, link].map((path) => jobLockName(path, 'job-1'));
      expect(new Set([beforeItIsMade, ...names]).size).toBe(1);
      expect(jobLockName(folder, 'job-1')).not.toBe(names[0]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
