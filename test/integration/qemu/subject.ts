/** A qemu provider in a private folder, with a small source disk and a tiny guest for an engine. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CreateProvider, Provider } from '../../../providers/contract.ts';
import { createProvider } from '../../../providers/qemu/index.ts';
import { findVms } from '../../../providers/qemu/vm-process.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { type JobParameters, jobParametersSchema } from '../../../src/protocol/job.ts';
import { runTool } from '../../harness/tools.ts';
import { silentLog } from '../providers/conformance.ts';
import { type TinyGuest, tinyEngineImage } from './tiny-guest.ts';

type Environment = Partial<Parameters<CreateProvider>[0]>;

export interface QemuSubject {
  folder: string;
  stateFolder: string;
  sourceFolder: string;
  disk: string;
  parameters: JobParameters;
  createProvider(settings?: Readonly<Record<string, unknown>>, environment?: Environment): Provider;
  close(): Promise<void>;
}

/** Parameters of an export of `path`. */
export function exportOf(path: string, format?: string): JobParameters {
  return jobParametersSchema.parse({
    type: 'export',
    source: { platform: 'qemu', path, ...(format === undefined ? {} : { format }) },
    target: { location: 'smb://127.0.0.1/images', name: 'golden', credential: 'share' },
  });
}

export async function qemuSubject(guest: TinyGuest = 'waits', text = 'tiny guest speaks\n'): Promise<QemuSubject> {
  const folder = await mkdtemp(join(tmpdir(), 'ips-qemu-'));
  const sourceFolder = join(folder, 'disks');
  await mkdir(sourceFolder);
  const disk = join(sourceFolder, 'disk.qcow2');
  await runTool('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '16M']);
  const engineImageFolder = await tinyEngineImage(join(folder, 'image'), text, guest);
  const stateFolder = join(folder, 'state');
  return {
    folder,
    stateFolder,
    sourceFolder,
    disk,
    parameters: exportOf(disk),
    createProvider: (settings = {}, environment = {}) =>
      createProvider({
        settings: { sourceFolders: [sourceFolder], engineImageFolder, memoryMiB: 256, accelerator: 'tcg', ...settings },
        stateFolder,
        doors: new Doors(),
        clock: systemClock(),
        log: silentLog,
        ...environment,
      }),
    close: async () => {
      // A test that failed may have left its VM.
      for (const { pid } of await findVms(join(stateFolder, 'vms'))) process.kill(pid, 'SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
