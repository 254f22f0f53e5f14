/**
 * Calls that hang in the kernel, as on a file server that fell silent, hold neither a cancel nor the end of the engine:
 * nothing but the end of the process ends the thread that is in such a call, and an orderly exit would wait for it.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
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
import { AgentProcess, eventsUntilRest, exportTask, never, PARTIAL, writeSource } from './agent-process.ts';
import { HangingFile } from './hanging-file.ts';

const MIB = 1024 * 1024;
/** In ms: the moment that is given to what hangs, and what a busy machine needs. */
const SOON_MS = 20_000;
const ALL = Array.from({ length: 64 }, (_, index) => index);

let folder: string;
let hanging: HangingFile | undefined;
let agent: AgentProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'silent-'));
  await mkdir(join(folder, 'share'));
});
afterEach(async () => {
  await agent?.kill();
  await hanging?.remove();
  agent = undefined;
  hanging = undefined;
  await rm(folder, { recursive: true });
});

/** Serves the partial file through the file system that hangs, from the moment it is to be verified. */
class SilentShare extends FolderShare {
  released = false;

  override async mount(purpose: MountPurpose = 'write'): Promise<MountedShare> {
    if (purpose === 'write') return await super.mount();
    hanging = await HangingFile.serve(join(folder, 'share', PARTIAL), join(folder, 'verify'), PARTIAL);
    hanging.hang();
    return {
      folder: join(folder, 'verify'),
      release: async () => {
        this.released = true;
      },
    };
  }
}

it('a cancel while the server is silent in the verification', async () => {
  await writeSource(join(folder, 'source.raw'), 64, ALL);
  const doors = new Doors();
  const share = new SilentShare(join(folder, 'share'), doors);
  const events: EngineEventBody[] = [];
  const verifying = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  const emit = (event: EngineEventBody) => {
    events.push(event);
    if (event.kind === 'step' && event.step === 'verify') verifying.resolve();
    if (event.kind === 'cancelled' || event.kind === 'failed') over.resolve();
  };
  const openSource = async () => join(folder, 'source.raw');
  const work = new RunningExport(exportTask(64 * MIB), { clock: systemClock(), doors, share, openSource, emit });
  const runner = new TaskRunner(work, emit);
  await verifying.promise;
  while (hanging === undefined) await systemClock().sleep(50);
  await systemClock().sleep(200);
  const started = performance.now();
  runner.cancel();
  await over.promise;
  expect(performance.now() - started).toBeLessThan(SOON_MS);
  expect(events.at(-1)).toEqual({ kind: 'cancelled' });
  expect(share.released).toBe(true);
});

it.each(['deadline', 'finished'] as const)('the end of the engine (%s) with a call that never ends', async (how) => {
  execFileSync('mkfifo', [join(folder, 'fifo')]);
  agent = await AgentProcess.start({ folder, sourceMiB: 4, dataMiB: [0], hangingOpen: join(folder, 'fifo') });
  const client = await agent.openSession();
  await client.putTask(agent.task(), never());
  await eventsUntilRest(client);
  const started = performance.now();
  if (how === 'deadline') await client.putDeadline(1, never());
  else await client.finish(never());
  expect(await agent.end()).toBe(how);
  expect(performance.now() - started).toBeLessThan(SOON_MS);
});
