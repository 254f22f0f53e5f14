/** A worker whose channel closes is gone at once; the engine goes on, and the next worker follows the same boot. */
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { bundleWorker, ForkedWorkers } from './forked.ts';
import { Site, until } from './site.ts';

it('ends at once, and its successor reattaches', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ips-worker-program-'));
  const site = await Site.open({ script: { holdAt: 'verify' } });
  const workers = await ForkedWorkers.open(site, await bundleWorker(folder));
  try {
    const first = workers.run();
    await until(() => site.job.steps.verify !== undefined);
    const { bootId } = site.job.engine ?? {};
    workers.disconnect();
    expect(await first).toBe('SIGKILL');
    expect(site.job.outcome).toBeUndefined();

    // The successor finds the engine where it is.
    const second = workers.run();
    await until(() => (site.platform.engines[0]?.requests.filter((what) => what === 'GET /v1/events').length ?? 0) > 1);
    site.platform.engines[0]?.release();
    expect(await second).toBe(0);
    expect(site.ended().state).toBe('complete');
    expect(site.job.engine?.bootId).toBe(bootId);
    expect(site.platform.engines.map(({ tasksStarted }) => tasksStarted)).toEqual([1]);
  } finally {
    await workers.close();
    await site.close();
    await rm(folder, { recursive: true });
  }
}, 60_000);

it('ends at once also when a file call of it never returns', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ips-worker-stuck-'));
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const worker = fork(join(import.meta.dirname, 'stuck-process.ts'), [fifo], { execArgv: [] });
  try {
    await once(worker, 'message');
    // The call is handed to a thread; give it the time to hang there.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const ended = once(worker, 'exit', { signal: AbortSignal.timeout(10_000) });
    worker.disconnect();
    expect(await ended).toEqual([null, 'SIGKILL']);
  } finally {
    worker.kill('SIGKILL');
    await rm(folder, { recursive: true });
  }
}, 30_000);
