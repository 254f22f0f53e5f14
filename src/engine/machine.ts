/** Where the agent runs, and what comes from there: a VM with its disks and mounts, or a plain process with files. */
import type { Clock } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import type { Files } from '../lib/files.ts';
import type { Processes } from '../lib/processes.ts';
import { DISK_SERIAL, ENGINE_PORT, type ShareAccess } from '../protocol/engine.ts';
import { IpsError } from '../protocol/errors.ts';
import { findDisk } from './block-device.ts';
import { CifsShare } from './cifs-share.ts';
import { FolderShare } from './folder-share.ts';
import type { TargetShare } from './target-share.ts';

const CONFIG_DISK_MS = 30_000;
const SOURCE_DISK_MS = 10_000;
/** On the VM's tmpfs. */
const SCRATCH = '/run/ips/share';

export interface Machine {
  readonly listen: { host: string; port: number };
  userDataPath(): Promise<string>;
  /**
   * Path of the source disk, set read-only.
   * @throws IpsError SOURCE_NOT_FOUND, SOURCE_UNREADABLE
   */
  openSource(serial: string, signal: AbortSignal): Promise<string>;
  share(access: ShareAccess): TargetShare;
}

export interface VirtualMachineTools {
  clock: Clock;
  processes: Processes;
  files: Files;
}

export function virtualMachine({ clock, processes, files }: VirtualMachineTools, sysBlock?: string): Machine {
  return {
    listen: { host: '0.0.0.0', port: ENGINE_PORT },
    async userDataPath() {
      const path = await findDisk(DISK_SERIAL.config, { clock, limitMs: CONFIG_DISK_MS }, sysBlock);
      if (path === undefined) throw new Error(`there is no disk with serial number ${DISK_SERIAL.config}`);
      return path;
    },
    async openSource(serial, signal) {
      const path = await findDisk(serial, { clock, limitMs: SOURCE_DISK_MS, signal }, sysBlock);
      if (path === undefined) throw new IpsError('SOURCE_NOT_FOUND', `No disk of the engine is called ${serial}.`);
      const ran = await processes.run('blockdev', ['--setro', path], { door: 'file', point: 'source.setro', signal });
      if (ran.code !== 0) throw new IpsError('SOURCE_UNREADABLE', `It cannot be set read-only: ${ran.stderr.trim()}`);
      return path;
    },
    share: (access) => new CifsShare({ access, processes, files, clock, scratch: SCRATCH }),
  };
}

export interface PlainProcessOptions {
  userData: string;
  source: string;
  shareFolder: string;
  listen: { host: string; port: number };
}

export function plainProcess(options: PlainProcessOptions, doors: Doors): Machine {
  return {
    listen: options.listen,
    userDataPath: async () => options.userData,
    openSource: async () => options.source,
    share: () => new FolderShare(options.shareFolder, doors),
  };
}
