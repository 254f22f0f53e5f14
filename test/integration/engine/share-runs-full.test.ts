/** A share that runs out of space, known before or half-way: SHARE_FULL, and the space is free again. */
import { writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { RunningExport } from '../../../src/engine/export-task.ts';
import { FolderShare } from '../../../src/engine/folder-share.ts';
import { TaskRunner } from '../../../src/engine/task-runner.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { Doors } from '../../../src/lib/doors.ts';
import type { EngineEventBody } from '../../../src/protocol/engine.ts';
import { type LimitedFolder, limitFolder } from '../../harness/limited-folder.ts';
import { exportTask, writeSource } from './agent-process.ts';

const MIB = 1024 * 1024;
const SHARE_MIB = 64;

let folder: string;
let limited: LimitedFolder;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'full-'));
  await mkdir(share());
  limited = await limitFolder(share(), SHARE_MIB);
});
afterEach(async () => {
  await limited.remove();
  await rm(folder, { recursive: true });
});

const share = () => join(folder, 'share');

async function freeMiB(): Promise<number> {
  const { bavail, bsize } = await statfs(share());
  return (bavail * bsize) / MIB;
}

/** @returns the event that ended it, and the points of the file door that it passed before */
async function exportOf(format: 'vhdx' | 'vhd', sizeMiB: number, onCreated: () => void = () => undefined) {
  const data = Array.from({ length: sizeMiB }, (_, index) => index);
  await writeSource(join(folder, 'source.raw'), sizeMiB, data);
  const points: string[] = [];
  const doors = new Doors({
    before: (_door, point) => points.push(point),
    after: (_door, point) => {
      if (point === 'disk.create') onCreated();
    },
  });
  const ended = Promise.withResolvers<EngineEventBody>();
  const emit = (event: EngineEventBody) => {
    if (event.kind === 'failed' || event.kind === 'verified') ended.resolve(event);
  };
  const work = new RunningExport(exportTask(sizeMiB * MIB, { format }), {
    clock: systemClock(),
    doors,
    share: new FolderShare(share(), doors),
    openSource: async () => join(folder, 'source.raw'),
    emit,
  });
  new TaskRunner(work, emit);
  return { end: await ended.promise, points };
}

const SHARE_IS_FULL = { kind: 'failed', error: { code: 'SHARE_FULL' } };

it.each(['vhdx', 'vhd'] as const)('%s: another one fills the share meanwhile', async (format) => {
  const before = await freeMiB();
  const { end } = await exportOf(format, 48, () => writeFileSync(join(share(), 'filler'), Buffer.alloc(32 * MIB, 1)));
  expect(end).toMatchObject(SHARE_IS_FULL);
  expect(await readdir(share())).toEqual(['filler']);
  expect(await freeMiB()).toBe(before - 32);
});

it('vhdx: more data than the share has room for', async () => {
  const before = await freeMiB();
  expect((await exportOf('vhdx', 96)).end).toMatchObject(SHARE_IS_FULL);
  expect(await readdir(share())).toEqual([]);
  expect(await freeMiB()).toBe(before);
});

it('vhd: more than there is room for is not even begun', async () => {
  const { end, points } = await exportOf('vhd', 96);
  expect(end).toMatchObject(SHARE_IS_FULL);
  expect(points).not.toContain('disk.create');
});
