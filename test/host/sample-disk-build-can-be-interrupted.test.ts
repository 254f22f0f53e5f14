/** A build of the sample disk that is interrupted or killed leaves no process and no mount, and an interrupted one no folder. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../harness/eventually.ts';
import { captureHostState, compareHostState, describeHostItem, type HostState } from '../harness/host-state.ts';
import { readProcesses } from '../harness/proc-files.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';

const inside = temporaryFolder();
const PROGRAM = path.join(import.meta.dirname, '../fixtures/sample-disk.ts');

/** Starts a build and returns once the NTFS partition is being filled. */
async function startBuild(out: string): Promise<ChildProcess> {
  const build = spawn(process.execPath, [PROGRAM, out], { stdio: 'ignore' });
  const serving = async (): Promise<boolean> =>
    (await readProcesses()).some((each) => each.name === 'ntfs-3g' && each.commandLine.includes(out));
  await eventually(serving, (isServing) => isServing);
  return build;
}

const appeared = async (before: HostState): Promise<string[]> =>
  compareHostState(before, await captureHostState()).appeared.map(describeHostItem);

describe('a build of the sample disk', () => {
  it('cleans up when it is interrupted', async () => {
    const before = await captureHostState();
    const build = await startBuild(inside('interrupted/disk.raw'));
    expect(compareHostState(before, await captureHostState()).appeared.some((item) => item.sort === 'mount')).toBe(
      false,
    );
    build.kill('SIGINT');
    const [code] = await once(build, 'close');
    expect(code).not.toBe(0);
    await eventually(
      () => appeared(before),
      (items) => items.length === 0,
    );
    expect(await readdir(inside('interrupted'))).toEqual(['disk.raw.lock']);
  }, 60_000);

  it('takes all its processes with it when it is killed', async () => {
    const before = await captureHostState();
    const build = await startBuild(inside('killed/disk.raw'));
    build.kill('SIGKILL');
    await once(build, 'close');
    // The kernel tells them at once, but they do not end in the same moment.
    await eventually(
      () => appeared(before),
      (items) => items.length === 0,
    );
  }, 60_000);
});
