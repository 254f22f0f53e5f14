/**
 * What is changed in the file behind the engine's back, between its last write and its first read, is HASH_MISMATCH:
 * one bit of content, of a structure, of padding; a cut, a growth, a file that is gone. Nothing of it stays.
 */
import { mkdtemp, open, readdir, rm, truncate, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { RunningExport } from '../../../src/engine/export-task.ts';
import { FolderShare } from '../../../src/engine/folder-share.ts';
import type { MountedShare, MountPurpose } from '../../../src/engine/target-share.ts';
import { TaskRunner } from '../../../src/engine/task-runner.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { Doors } from '../../../src/lib/doors.ts';
import type { EngineEventBody } from '../../../src/protocol/engine.ts';
import { exportTask, PARTIAL } from './agent-process.ts';

const MIB = 1024 * 1024;
const doors = new Doors();

/** Meddles with the file when it is about to be verified. */
class MeddlingShare extends FolderShare {
  readonly #meddle: () => Promise<void>;

  constructor(folder: string, meddle: () => Promise<void>) {
    super(folder, doors);
    this.#meddle = meddle;
  }

  override async mount(purpose: MountPurpose = 'write'): Promise<MountedShare> {
    if (purpose === 'verify') await this.#meddle();
    return await super.mount();
  }
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flip-'));
  const source = await open(join(folder, 'source'), 'w');
  await source.truncate(16 * MIB);
  await source.write(Buffer.alloc(3 * MIB, 'data'), 0, 3 * MIB, 5 * MIB);
  await source.close();
});
afterEach(() => rm(folder, { recursive: true }));

async function exportWith(
  format: 'vhdx' | 'vhd',
  meddle: (file: string) => Promise<void>,
): Promise<EngineEventBody | undefined> {
  const task = exportTask(16 * MIB, { fileName: 'x', format });
  const events: EngineEventBody[] = [];
  const rest = Promise.withResolvers<void>();
  const emit = (event: EngineEventBody) => {
    events.push(event);
    if (event.kind === 'failed' || event.kind === 'verified') rest.resolve();
  };
  const share = new MeddlingShare(folder, () => meddle(join(folder, PARTIAL)));
  const openSource = async () => join(folder, 'source');
  new TaskRunner(new RunningExport(task, { clock: systemClock(), doors, share, openSource, emit }), emit);
  await rest.promise;
  return events.at(-1);
}

function flip(offset: number): (file: string) => Promise<void> {
  return async (file) => {
    const handle = await open(file, 'r+');
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, offset);
    byte.writeUInt8(byte.readUInt8() ^ 0x10);
    await handle.write(byte, 0, 1, offset);
    await handle.close();
  };
}

it('an untouched file is verified', async () => {
  expect(await exportWith('vhdx', async () => undefined)).toMatchObject({ kind: 'verified' });
});

it.each<['vhdx' | 'vhd', string, (file: string) => Promise<void>]>([
  ['vhdx', 'the first byte', flip(0)],
  ['vhdx', 'a header', flip(64 * 1024 + 20)],
  ['vhdx', 'the log', flip(MIB + 4096)],
  ['vhdx', 'the metadata', flip(2 * MIB + 64 * 1024 + 1)],
  ['vhdx', 'the table', flip(3 * MIB + 2 * 8 + 4)],
  ['vhdx', 'the content', flip(4 * MIB + 12_345)],
  ['vhdx', 'the length: shorter', (file) => truncate(file, 5 * MIB)],
  ['vhdx', 'the length: longer', (file) => truncate(file, 64 * MIB)],
  ['vhdx', 'the whole file', unlink],
  ['vhd', 'the content', flip(6 * MIB)],
  ['vhd', 'a zero', flip(15 * MIB)],
  ['vhd', 'the footer', flip(16 * MIB + 100)],
])('%s: %s', async (format, _what, meddle) => {
  expect(await exportWith(format, meddle)).toMatchObject({ kind: 'failed', error: { code: 'HASH_MISMATCH' } });
  expect(await readdir(folder)).toEqual(['source']);
});
