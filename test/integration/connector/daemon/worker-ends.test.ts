/** The real program, forked as a worker: done or failed, it ends, and its exit code tells which, though its channel is open. */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { acquireJobLock, jobLockName } from '../../../../src/connector/job-lock.ts';
import type { ToWorker, WorkerMode } from '../../../../src/connector/worker-messages.ts';
import { JOB, PARAMETERS } from '../../../unit/connector/daemon/doubles.ts';
import { Appliance } from './appliance.ts';
import { until } from './real-programs.ts';

const MAIN = join(import.meta.dirname, '../../../../src/connector/main.ts');

describe('a worker', () => {
  let appliance: Appliance;
  let worker: ChildProcess | undefined;
  const fifo = () => join(appliance.paths.folder, 'fifo');
  beforeEach(async () => {
    appliance = new Appliance();
    await appliance.pairWith(new URL('https://cloud.test/'), { kind: 'ca' });
    await appliance.withJournal(() => undefined);
    chmodSync(appliance.paths.journal, 0o600);
  });
  afterEach(async () => {
    execArgv = [];
    said = '';
    told = [];
    worker?.kill('SIGKILL');
    await appliance.remove();
  });

  /** Node's own arguments for the next worker. */
  let execArgv: string[] = [];
  let said = '';
  /** What the worker told its supervisor. */
  let told: unknown[] = [];

  /** @returns exit code, signal, and what it said on standard error */
  async function ending(mode: WorkerMode, ...more: ToWorker[]): Promise<[unknown, unknown, string]> {
    const started = fork(MAIN, ['worker', JOB.jobId, JOB.token, mode], {
      env: { ...process.env, NODE_OPTIONS: '', IPS_TEST_FIFO: fifo() },
      execArgv,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    worker = started;
    started.on('message', (message) => told.push(message));
    started.stderr?.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    const closed = once(started, 'close', { signal: AbortSignal.timeout(40_000) });
    for (const message of [{ type: 'configuration', config: appliance.config } as const, ...more])
      started.send(message);
    const [code, signal] = await closed;
    return [code, signal, said];
  }

  it('that finds a key that others can read', async () => {
    chmodSync(appliance.paths.sealKey, 0o644);
    expect(await ending('run')).toEqual([1, null, expect.stringContaining('error FILE_NOT_PRIVATE: ')]);
  });

  it('whose job is not in the journal', async () => {
    expect(await ending('run')).toEqual([1, null, expect.stringContaining('the journal has no job job-1')]);
  });

  it('that declines a claim', async () => {
    // No source folders: the provider cannot be opened. What is said right after the configuration is not lost.
    const end = await ending('claim', { type: 'claim', parameters: PARAMETERS });
    expect(told).toMatchObject([{ type: 'claimed', error: { code: 'CONFIG_INVALID' } }]);
    expect(end).toEqual([0, null, '']);
  });

  it('in which a file call never returns', async () => {
    execFileSync('mkfifo', [fifo()]);
    execArgv = ['--import', join(import.meta.dirname, 'hang.ts')];
    expect(await ending('run')).toEqual([null, 'SIGKILL', expect.stringContaining('the journal has no job job-1')]);
  });

  it('waits for an earlier one that holds the job', async () => {
    const lock = await acquireJobLock(
      jobLockName(appliance.config.stateFolder, JOB.jobId),
      appliance.tools.clock,
      AbortSignal.timeout(30_000),
    );
    const end = ending('run');
    await until('it says so', () => said.includes('waiting for an earlier worker of this job to end'));
    expect(worker?.exitCode).toBeNull();
    await lock.release();
    expect(await end).toEqual([1, null, expect.stringContaining('the journal has no job job-1')]);
  });
});
