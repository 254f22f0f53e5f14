/** A share that runs out of space half-way: SHARE_FULL, and the space is free again. */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type LimitedFolder, limitFolder } from '../../harness/limited-folder.ts';
import { AgentProcess, eventsUntilRest, never } from './agent-process.ts';

let folder: string;
let limited: LimitedFolder;
let agent: AgentProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-'));
  await mkdir(join(folder, 'share'));
  limited = await limitFolder(join(folder, 'share'), 16);
});
afterEach(async () => {
  await agent?.kill();
  await limited.remove();
  await rm(folder, { recursive: true });
});

it.each(['vhdx', 'vhd'] as const)('%s', async (format) => {
  const dataMiB = Array.from({ length: 24 }, (_, index) => index);
  agent = await AgentProcess.start({ folder, sourceMiB: 32, dataMiB });
  const client = await agent.openSession();
  await client.putTask(agent.task({ format }), never());
  expect((await eventsUntilRest(client)).at(-1)?.body).toMatchObject({ kind: 'failed', error: { code: 'SHARE_FULL' } });
  expect(await readdir(agent.shareFolder)).toEqual([]);
});
