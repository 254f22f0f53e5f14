import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { startOf } from '../../../providers/qemu/vm-process.ts';
import { readIfThere } from '../../../src/lib/files.ts';
import { eventually } from '../../harness/eventually.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';

const folder = temporaryFolder();

it('a program of QEMU that is run to its end does not outlive the process that runs it', async () => {
  const pidFile = folder('pid');
  const runner = spawn(process.execPath, [join(import.meta.dirname, 'contained-process.ts'), pidFile]);
  const pid = Number(
    await eventually(
      () => readIfThere(pidFile),
      (text) => Number(text) > 0,
    ),
  );
  try {
    expect(await startOf(pid)).toBeDefined();
    runner.kill('SIGKILL');
    await eventually(
      () => startOf(pid),
      (start) => start === undefined,
      5_000,
    );
  } finally {
    if ((await startOf(pid)) !== undefined) process.kill(pid, 'SIGKILL');
  }
});
