/** How a job ends: decided once, before the teardown. */
import { IpsError, toIpsError } from '../../protocol/errors.ts';
import type { Outcome } from '../journal-job.ts';
import type { WorkerMode } from '../worker-messages.ts';
import type { Attempt } from './attempt.ts';
import { PROVIDER_CALL_MS } from './limits.ts';
import { runExport } from './steps.ts';

/** Lines of the engine's console that go into the job's log. */
const CONSOLE_LINES = 40;
/** Codes after which the console may tell more than the message. */
const TELLS_ON_CONSOLE = new Set(['INTERNAL', 'SOURCE_READ_FAILED', 'TARGET_WRITE_FAILED', 'SMB_FAILED']);

/**
 * Does the work, and says how it ended. A teardown does no work, unless a commit was granted: then what became of it
 * is found out first.
 */
export async function decideOutcome(attempt: Attempt, mode: WorkerMode): Promise<Outcome> {
  const { signal } = attempt.interruption;
  try {
    if (mode === 'teardown' && attempt.record.job.phase !== 'committing') {
      signal.throwIfAborted();
      throw new IpsError('WORKER_CRASHED');
    }
    return { state: 'complete', result: await runExport(attempt, signal) };
  } catch (error) {
    // A job that was granted is not over by being interrupted: the commit has found out how it ended.
    const granted = attempt.record.job.phase === 'committing';
    const failure = toIpsError(signal.aborted && !granted ? signal.reason : error);
    if (failure.code === 'INTERNAL') attempt.environment.log.error('the job failed unforeseen', { error });
    if (failure.code.startsWith('ENGINE_') || TELLS_ON_CONSOLE.has(failure.code)) await tellConsole(attempt);
    const cancelled = !granted && (failure.code === 'JOB_CANCELLED' || failure.code === 'LEASE_LOST');
    return { state: cancelled ? 'cancelled' : 'failed', result: { leftovers: [] }, error: failure.report() };
  }
}

/** The last lines of the engine's console, for whoever has to find out why. */
async function tellConsole(attempt: Attempt): Promise<void> {
  try {
    const call = (signal: AbortSignal) => attempt.provider.console(attempt.context, signal);
    const text = await attempt.platform('console', undefined, call, PROVIDER_CALL_MS / 4);
    const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
    if (lines.length > 0) attempt.record.log('error', `engine console:\n${lines.slice(-CONSOLE_LINES).join('\n')}`);
  } catch (error) {
    attempt.environment.log.info('no console', { reason: error instanceof Error ? error.message : String(error) });
  }
}
