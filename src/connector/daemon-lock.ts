/** One process at a time works with a state folder: the daemon, or the command that pairs or unpairs it. */
import { type Clock, deadlineSignal } from '../lib/clock.ts';
import { IpsError } from '../protocol/errors.ts';
import { acquireJobLock, type JobLock, jobLockName } from './job-lock.ts';

/** A daemon that was told to stop may take this long, in ms. */
const PATIENCE_MS = 3_000;

/** @throws IpsError IN_USE when another process keeps it */
export async function lockStateFolder(stateFolder: string, clock: Clock, patienceMs = PATIENCE_MS): Promise<JobLock> {
  const inUse = () =>
    new IpsError('IN_USE', `Another ips-connector works with ${stateFolder}.`, {
      hint: 'Stop it first: "systemctl stop ips-connector".',
    });
  const { signal, release } = deadlineSignal(clock, patienceMs, inUse);
  try {
    return await acquireJobLock(jobLockName(stateFolder, 'daemon'), clock, signal);
  } finally {
    release();
  }
}
