import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CliCloud, IPS } from './cloud.ts';

// Each command is a process of its own, on a machine that may be busy.
jest.setTimeout(120_000);

describe('waiting for a job', () => {
  let cloud: CliCloud;
  beforeAll(async () => {
    cloud = await CliCloud.start();
    await cloud.logIn();
    await cloud.prepareJobs();
  });
  afterAll(async () => cloud.stop());

  /** `ips job wait`, with a promise of its output once it is over. */
  function wait(id: string, ...options: readonly string[]) {
    const child = spawn(process.execPath, [IPS, 'job', 'wait', id, ...options], {
      env: cloud.environment,
      stdio: 'pipe',
    });
    const output = { stdout: '', stderr: '' };
    const shows = Promise.withResolvers<void>();
    child.stdout.on('data', (text: Buffer) => {
      output.stdout += text;
    });
    child.stderr.on('data', (text: Buffer) => {
      output.stderr += text;
      shows.resolve();
    });
    const over = once(child, 'close').then(([code]) => ({ code, ...output }));
    return { child, over, shows: shows.promise };
  }

  it('ends with Ctrl-C and 130, says how to go on, and leaves the job alone', async () => {
    const id = await cloud.queueJob('interrupted');
    const waiting = wait(id);
    await waiting.shows;
    waiting.child.kill('SIGINT');
    const { code, stdout, stderr } = await waiting.over;
    expect(code).toBe(130);
    expect(stdout).toBe('');
    expect(stderr).toContain(`ips job wait ${id}`);
    expect(stderr).toContain(`ips job cancel ${id}`);
    expect(JSON.parse(await cloud.must(['job', 'show', id, '--json'])).state).toBe('queued');
    await cloud.must(['job', 'cancel', id]);
  });

  it('ends with Ctrl-C in JSON as well', async () => {
    const id = await cloud.queueJob('interrupted-json');
    const waiting = wait(id, '--json');
    await waiting.shows;
    waiting.child.kill('SIGINT');
    const { code, stdout } = await waiting.over;
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toEqual({
      error: { code: 'INTERRUPTED', message: expect.stringContaining(id), hint: expect.stringContaining(id) },
    });
    await cloud.must(['job', 'cancel', id]);
  });

  it('ends with the job, and the exit code says that it was cancelled', async () => {
    const id = await cloud.queueJob('cancelled');
    const waiting = wait(id);
    await cloud.must(['job', 'cancel', id]);
    const { code, stdout } = await waiting.over;
    expect(code).toBe(4);
    expect(stdout).toMatch(/^state +cancelled$/m);
    expect((await cloud.ips(['job', 'wait', id])).code).toBe(4);
  });

  it('for a job that nobody knows is an error at once', async () => {
    const ran = await cloud.ips(['job', 'wait', 'job-0000000000000000']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('NOT_FOUND');
  });
});
