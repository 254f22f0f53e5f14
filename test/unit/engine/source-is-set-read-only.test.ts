/** No task reads a disk that the engine itself has not set read-only. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { virtualMachine } from '../../../src/engine/machine.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { Files } from '../../../src/lib/files.ts';
import type { Ran } from '../../../src/lib/processes.ts';
import { FakeProcesses } from './fake-processes.ts';
import { ManualClock } from './manual-clock.ts';

const { signal } = new AbortController();

let sysBlock: string;
beforeEach(async () => {
  sysBlock = await mkdtemp(join(tmpdir(), 'sys-block-'));
  await mkdir(join(sysBlock, 'vdb'));
  await writeFile(join(sysBlock, 'vdb', 'serial'), 'ips-source');
});
afterEach(() => rm(sysBlock, { recursive: true }));

function machineWith(ran: Partial<Ran>) {
  const processes = new FakeProcesses(async () => ran);
  const tools = { clock: new ManualClock(), processes, files: new Files(new Doors()) };
  return { processes, machine: virtualMachine(tools, sysBlock) };
}

it('sets the source read-only before it gives its path', async () => {
  const { processes, machine } = machineWith({});
  expect(await machine.openSource('ips-source', signal)).toBe('/dev/vdb');
  expect(processes.lines).toEqual(['blockdev --setro /dev/vdb']);
});

it('gives no path when that fails', async () => {
  const { machine } = machineWith({ code: 1, stderr: 'blockdev: ioctl error on BLKROSET: Permission denied\n' });
  await expect(machine.openSource('ips-source', signal)).rejects.toMatchObject({
    code: 'SOURCE_UNREADABLE',
    message: expect.stringContaining('BLKROSET'),
  });
});
