/**
 * The real share: mounted by the kernel's CIFS client (SMB 3.1.1, encrypted) for reading and writing, and asked through
 * smbclient for all that the kernel's client cannot say or do.
 *
 * While `mount.cifs` runs, the password lies in a 0600 file on a tmpfs; smbclient gets it on its standard input. Each
 * mount is a session of its own. Mount points are never removed: a removal that goes wrong there would remove the
 * share's files. And what is in use is never detached by force: a call that still hangs in a detached mount ends in a
 * crash of the kernel (6.1: "Busy inodes after unmount of cifs") when its process does, and the machine stays on.
 */
import { join } from 'node:path';
import { type Clock, deadlineSignal } from '../lib/clock.ts';
import type { Files } from '../lib/files.ts';
import type { Processes } from '../lib/processes.ts';
import type { ShareAccess } from '../protocol/engine.ts';
import { IpsError, isIpsError } from '../protocol/errors.ts';
import { SmbClient } from '../share/smb-client.ts';
import { credentialsFile, mountArguments, mountError } from './cifs-mount.ts';
import { MOMENT_MS, unlessAborted } from './silent-server.ts';
import type { MountedShare, MountPurpose, TargetShare } from './target-share.ts';

/** Longest time for a mount, in ms: probing has just found the server well. */
const MOUNT_MS = 60_000;
/** Longest time for an orderly unmount, in ms; all data were synced before. */
const UNMOUNT_MS = 20_000;

export interface CifsShareOptions {
  access: ShareAccess;
  processes: Processes;
  files: Files;
  clock: Clock;
  /** A private folder on a tmpfs. */
  scratch: string;
}

export class CifsShare implements TargetShare {
  readonly #options: CifsShareOptions;
  readonly #client: SmbClient;

  constructor(options: CifsShareOptions) {
    this.#options = options;
    this.#client = new SmbClient(options);
  }

  size(name: string, signal: AbortSignal): Promise<number | undefined> {
    return this.#client.size(name, signal);
  }

  rename(from: string, to: string, signal: AbortSignal): Promise<void> {
    return this.#client.rename(from, to, signal);
  }

  remove(name: string, signal: AbortSignal): Promise<void> {
    return this.#client.remove(name, signal);
  }

  async mount(purpose: MountPurpose, signal: AbortSignal): Promise<MountedShare> {
    const { access, processes, files, clock, scratch } = this.#options;
    const folder = join(scratch, purpose);
    const credentials = join(scratch, `credentials-${purpose}`);
    await files.makePrivateFolder(scratch);
    await files.makePrivateFolder(folder);
    const silent = () => new IpsError('SMB_UNREACHABLE', `It was not mounted within ${MOUNT_MS / 1000} s.`);
    const limit = deadlineSignal(clock, MOUNT_MS, silent, signal);
    try {
      await files.remove(credentials);
      await files.createExclusively(credentials, credentialsFile(access));
      const run = processes.run('mount.cifs', mountArguments(access, purpose, folder, credentials), {
        door: 'file',
        point: `share.mount-${purpose}`,
        signal: limit.signal,
      });
      // A program in an uninterruptible wait does not even die when it is killed.
      const ran = await unlessAborted(run, limit.signal);
      if (ran.code !== 0) throw await this.#reason(ran.stderr, limit.signal);
    } finally {
      limit.release();
      await files.remove(credentials);
    }
    let mounted = true;
    return {
      folder,
      release: async () => {
        if (mounted) await this.#unmount(folder, signal.aborted ? MOMENT_MS : UNMOUNT_MS);
        mounted = false;
      },
    };
  }

  /** The kernel's client has one errno for many refusals; smbclient tells them apart. */
  async #reason(stderr: string, signal: AbortSignal): Promise<IpsError> {
    try {
      await this.#client.probe(signal);
    } catch (error) {
      if (isIpsError(error)) return error;
    }
    return mountError(stderr);
  }

  /** Where that fails, calls hang in the mount, or a dead server is not told: both end with the machine. */
  async #unmount(folder: string, limitMs: number): Promise<void> {
    const { processes, clock } = this.#options;
    const limit = deadlineSignal(clock, limitMs, () => new Error('the unmount hangs'));
    const run = processes.run('umount', [folder], { door: 'file', point: 'share.unmount', signal: limit.signal });
    await unlessAborted(run, limit.signal).catch(() => undefined);
    limit.release();
  }
}
