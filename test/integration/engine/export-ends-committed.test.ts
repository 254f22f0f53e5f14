/** The whole way over the real API: session, task, events, verified, commit, finish; qemu-img judges the file. */
import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { runTool } from '../../harness/tools.ts';
import { AgentProcess, BOOT_KEY, eventsUntilRest, never, PASSWORD, SESSION_KEY, TARGET } from './agent-process.ts';

const MIB = 1024 * 1024;
let folder: string;
let agent: AgentProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-'));
});
afterEach(async () => {
  await agent?.kill();
  await rm(folder, { recursive: true });
});

it('writes a VHDX that equals the source, tells of it in order, and ends', async () => {
  agent = await AgentProcess.start({ folder, sourceMiB: 64, dataMiB: [0, 1, 17, 18, 40, 63] });
  const client = await agent.openSession();
  await client.putTask(agent.task(), never());
  await client.putTask(agent.task(), never());
  const events = await eventsUntilRest(client);
  expect(events.map(({ body }) => body.kind).filter((kind) => kind !== 'progress')).toEqual([
    'step',
    'step',
    'verified',
  ]);
  expect(events.map(({ seq }) => seq)).toEqual(events.map(({ seq }) => seq).sort((a, b) => a - b));
  expect(await eventsUntilRest(client, (events.at(-1)?.seq ?? 0) - 1)).toEqual(events.slice(-1));

  expect(await readdir(agent.shareFolder)).toEqual([agent.task().target.partialName]);
  await client.commit('1.1', never());
  await client.commit('1.1', never());
  expect(await readdir(agent.shareFolder)).toEqual([TARGET]);

  const target = join(agent.shareFolder, TARGET);
  const body = events.at(-1)?.body;
  expect(body).toMatchObject({
    verified: {
      virtualSize: 64 * MIB,
      fileSize: (await stat(target)).size,
      hashes: [{ scope: 'copy' }, { scope: 'source' }],
      bytesRead: 64 * MIB,
      bytesSkipped: 0,
    },
  });
  await runTool('qemu-img', ['compare', '-f', 'raw', '-F', 'vhdx', agent.source, target]);
  await runTool('qemu-img', ['check', '-f', 'vhdx', target]);

  await client.finish(never());
  expect(await agent.end()).toBe('finished');
});

it('takes what is outside the data extents as zeros, without reading it', async () => {
  agent = await AgentProcess.start({ folder, sourceMiB: 64, dataMiB: [0, 20, 40] });
  const client = await agent.openSession();
  await client.putTask(
    agent.task(
      {},
      {
        dataExtents: [
          [0, MIB],
          [20 * MIB, MIB],
        ],
      },
    ),
    never(),
  );
  const verified = (await eventsUntilRest(client)).at(-1)?.body;
  expect(verified).toMatchObject({
    verified: { bytesRead: 2 * MIB, bytesSkipped: 62 * MIB, hashes: [{ scope: 'copy' }] },
  });
  await client.commit('1.1', never());
  const target = join(agent.shareFolder, TARGET);
  const source = await open(agent.source, 'r+');
  await source.write(Buffer.alloc(MIB), 0, MIB, 40 * MIB);
  await source.close();
  await runTool('qemu-img', ['compare', '-f', 'raw', '-F', 'vhdx', agent.source, target]);
});

it('writes a fixed VHD', async () => {
  agent = await AgentProcess.start({ folder, sourceMiB: 12, dataMiB: [0, 5, 11] });
  const client = await agent.openSession();
  const names = { fileName: 'm.vhd', partialName: '.m.vhd.partial', format: 'vhd' } as const;
  await client.putTask(agent.task(names), never());
  expect((await eventsUntilRest(client)).at(-1)?.body.kind).toBe('verified');
  await client.commit('1.1', never());
  const target = join(agent.shareFolder, 'm.vhd');
  expect((await stat(target)).size).toBe(12 * MIB + 512);
  await runTool('qemu-img', ['compare', '-f', 'raw', '-F', 'vpc', agent.source, target]);
});

it.each([
  ['verified', 1],
  ['failed', 2],
])('prints neither keys nor passwords for a task that is %s', async (outcome, sizeMiB) => {
  agent = await AgentProcess.start({ folder, sourceMiB: 1, dataMiB: [0] });
  const client = await agent.openSession();
  const task = agent.task({}, { virtualSize: sizeMiB * MIB });
  await expect(client.putTask({ ...task, token: 'no token' }, never())).rejects.toBeTruthy();
  await client.putTask(task, never());
  expect((await eventsUntilRest(client)).at(-1)?.body.kind).toBe(outcome);
  await client.finish(never());
  expect(await agent.end()).toBe('finished');

  expect(agent.output[0]).toMatch(/^ips-engine [\d.]+: listening on 127\.0\.0\.1:\d+, boot [0-9a-f-]{36}$/);
  const output = agent.output.join('\n');
  for (const secret of [BOOT_KEY, SESSION_KEY, Buffer.from(PASSWORD)]) {
    for (const encoding of ['hex', 'base64', 'latin1'] as const)
      expect(output).not.toContain(secret.toString(encoding));
  }
});
