/**
 * The lock of a job on this host: an abstract UNIX socket (`unix(7)`) named after state folder and job. The kernel
 * releases it when its holder is gone, however it went, and nothing of it lies in the file system. Whoever may touch
 * anything of a job holds it: a worker that outlived its supervisor keeps its successor waiting.
 */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { isErrno } from '../lib/files.ts';

/** How often a waiting caller tries again, in ms. */
const RETRY_MS = 100;

export interface JobLock {
  /** Gives the lock up; the next one that waits gets it. */
  release(): Promise<void>;
}

/** The name of a job's lock; two daemons with two state folders on one host do not meet, one folder is one name. */
export function jobLockName(stateFolder: string, jobId: string): string {
  return `ips-job-${createHash('sha256').update(realPath(stateFolder)).digest('hex').slice(0, 16)}-${jobId}`;
}

/** Without symbolic links; of a folder that is still to be made: where it will be. */
function realPath(folder: string): string {
  try {
    return realpathSync(folder);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return join(realPath(dirname(folder)), basename(folder));
  }
}

/**
 * Waits until the lock is free and takes it.
 * @param name from `jobLockName`; at most 106 bytes, the kernel's limit for abstract names
 * @throws the signal's reason when there is one and it aborts; the system's error for anything but a taken name
 */
export async function acquireJobLock(name: string, clock: Clock, signal?: AbortSignal): Promise<JobLock> {
  if (Buffer.byteLength(name) > 106) throw new Error(`lock name too long: ${name}`);
  for (;;) {
    signal?.throwIfAborted();
    const server = await tryListen(`\0${name}`);
    if (server) {
      return { release: () => new Promise((resolve) => server.close(() => resolve())) };
    }
    await clock.sleep(RETRY_MS, signal);
  }
}

function tryListen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((peer) => peer.destroy());
    server.once('error', (error) => {
      if (isErrno(error, 'EADDRINUSE')) resolve(undefined);
      else reject(error);
    });
    server.listen({ path, exclusive: true }, () => {
      // Holding the lock is no reason to live.
      server.unref();
      resolve(server);
    });
  });
}
