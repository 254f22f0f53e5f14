/**
 * Whatever ends an export before it is verified, and the holder's word from then on, leaves nothing of ours on the share;
 * nothing of others is touched.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { AgentProcess, eventsUntilRest, never, PARTIAL, TARGET } from './agent-process.ts';

let folder: string;
let agent: AgentProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-'));
});
afterEach(async () => {
  await agent?.kill();
  await rm(folder, { recursive: true });
});

/** So long that no copy of it ends before the test does. */
const ENDLESS = { sourceMiB: 4 * 1024 * 1024, dataMiB: [0] };

/** A copy that has begun to write. */
async function copying(deadlineSeconds?: number) {
  agent = await AgentProcess.start({
    folder,
    ...ENDLESS,
    ...(deadlineSeconds === undefined ? {} : { deadlineSeconds }),
  });
  const client = await agent.openSession();
  await client.putTask(agent.task(), never());
  for await (const { body } of client.events(0, never())) if (body.kind === 'progress') break;
  expect(await readdir(agent.shareFolder)).toHaveLength(1);
  return { agent, client };
}

it('cancel in the copy', async () => {
  const { agent, client } = await copying();
  await client.cancel(never());
  expect((await eventsUntilRest(client)).at(-1)?.body.kind).toBe('cancelled');
  expect(await readdir(agent.shareFolder)).toEqual([]);
  await expect(client.commit('1.1', never())).rejects.toMatchObject({ code: 'JOB_CANCELLED' });
});

it('finish in the copy', async () => {
  const { agent, client } = await copying();
  await client.finish(never());
  expect(await agent.end()).toBe('finished');
  expect(await readdir(agent.shareFolder)).toEqual([]);
});

it('the deadline in the copy', async () => {
  const { agent, client } = await copying();
  await client.putDeadline(1, never());
  expect(await agent.end()).toBe('deadline');
  expect(await readdir(agent.shareFolder)).toEqual([]);
});

it('the deadline when the holder may have been granted the commit: only it knows whether the file is still wanted', async () => {
  agent = await AgentProcess.start({ folder, sourceMiB: 4, dataMiB: [0] });
  const client = await agent.openSession();
  await client.putTask(agent.task(), never());
  await eventsUntilRest(client);
  await client.putDeadline(1, never());
  expect(await agent.end()).toBe('deadline');
  expect(await readdir(agent.shareFolder)).toEqual([PARTIAL]);
});

it('the deadline before anybody came', async () => {
  agent = await AgentProcess.start({ folder, ...ENDLESS, deadlineSeconds: 1 });
  expect(await agent.end()).toBe('deadline');
});

it('a target that is there already', async () => {
  agent = await AgentProcess.start({ folder, sourceMiB: 4, dataMiB: [0] });
  await writeFile(join(agent.shareFolder, TARGET), 'theirs');
  const client = await agent.openSession();
  await client.putTask(agent.task(), never());
  expect((await eventsUntilRest(client)).at(-1)?.body).toMatchObject({
    kind: 'failed',
    error: { code: 'TARGET_EXISTS' },
  });
  expect(await readdir(agent.shareFolder)).toEqual([TARGET]);
});

it('a target that appears between verified and commit', async () => {
  agent = await AgentProcess.start({ folder, sourceMiB: 4, dataMiB: [0] });
  const client = await agent.openSession();
  await client.putTask(agent.task(), never());
  const verified = await eventsUntilRest(client);
  await writeFile(join(agent.shareFolder, TARGET), 'theirs');
  await expect(client.commit('1.1', never())).rejects.toMatchObject({ code: 'TARGET_EXISTS' });
  // Whoever did not get this answer sees by it that nothing was renamed.
  expect(await readdir(agent.shareFolder)).toEqual([PARTIAL, TARGET]);
  await client.cancel(never());
  const { body } = (await eventsUntilRest(client, verified.at(-1)?.seq)).at(-1) ?? {};
  expect(body).toMatchObject({ kind: 'failed', error: { code: 'TARGET_EXISTS' } });
  expect(body).not.toHaveProperty('partialLeft');
  expect(await readdir(agent.shareFolder)).toEqual([TARGET]);
  expect(await readFile(join(agent.shareFolder, TARGET), 'utf8')).toBe('theirs');
});

it('a source that is shorter than the task says', async () => {
  agent = await AgentProcess.start({ folder, sourceMiB: 4, dataMiB: [0] });
  const client = await agent.openSession();
  await client.putTask(agent.task({}, { virtualSize: 5 * 1024 * 1024 }), never());
  expect((await eventsUntilRest(client)).at(-1)?.body).toMatchObject({ error: { code: 'SOURCE_UNREADABLE' } });
  expect(await readdir(agent.shareFolder)).toEqual([]);
});

it('a size that the format cannot hold', async () => {
  agent = await AgentProcess.start({ folder, sourceMiB: 4, dataMiB: [0] });
  const client = await agent.openSession();
  await client.putTask(agent.task({}, { virtualSize: 1_000_001 }), never());
  expect((await eventsUntilRest(client)).at(-1)?.body).toMatchObject({ error: { code: 'TARGET_FORMAT_REFUSED' } });
  expect(await readdir(agent.shareFolder)).toEqual([]);
});
