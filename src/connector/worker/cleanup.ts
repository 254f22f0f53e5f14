/**
 * Teardown: whatever the ledger holds is removed, again and again, until it is empty or the time for it is up. Neither
 * cancel nor timeout shortens it; only where a file server refuses the log-on it waits for the next sweep, since more
 * tries would lock the user out. What is left is told with a command that removes it.
 */
import { backoffMs } from '../../lib/backoff.ts';
import { elapsedSince } from '../../lib/uptime.ts';
import { IpsError, isIpsError } from '../../protocol/errors.ts';
import type { LedgerRow } from '../../protocol/event.ts';
import type { Outcome } from '../journal-job.ts';
import { type Attempt, platformRows, SHARE_FILE } from './attempt.ts';
import { limited, PROVIDER_LONG_CALL_MS } from './limits.ts';
import { isLogonRefused, onShare } from './share-file.ts';

/** How long an engine may take to give up its task and remove its partial file, in ms; it has a minute for that. */
const GIVE_UP_MS = 75_000;
const FINISH_MS = 5_000;
const RETRY = { firstMs: 500, maxMs: 30_000 };

/** @param fresh gives it the whole time again: for what an earlier teardown left behind */
export async function cleanUp(attempt: Attempt, outcome: Outcome, fresh: boolean): Promise<void> {
  const { clock, random, log } = attempt.environment;
  const { limits, steps } = attempt.record.job;
  const before = fresh || !steps.cleanup ? 0 : (elapsedSince(steps.cleanup) ?? 0);
  const limitMs = Math.max(1_000, limits.cleanupTimeoutSeconds * 1000 - before);
  const started = clock.monotonic();
  if (attempt.ledger.open().length === 0) return;
  const removedByEngine = await stopEngine(attempt, outcome, limitMs / 2);
  for (let tries = 0; ; tries += 1) {
    const left = limitMs - (clock.monotonic() - started);
    if (left <= 0) return;
    try {
      await removeAll(attempt, outcome, { removedByEngine, leftMs: left });
    } catch (error) {
      log.warn('teardown is not through yet', { reason: error instanceof Error ? error.message : String(error) });
      if (isLogonRefused(error)) return;
    }
    if (attempt.ledger.open().length === 0) return;
    const pause = Math.min(backoffMs(RETRY, tries, random), Math.max(0, limitMs - (clock.monotonic() - started)));
    await clock.sleep(pause);
  }
}

async function removeAll(
  attempt: Attempt,
  outcome: Outcome,
  how: { removedByEngine: boolean; leftMs: number },
): Promise<void> {
  const { provider, context, ledger } = attempt;
  const limitMs = Math.min(PROVIDER_LONG_CALL_MS, how.leftMs);
  if (platformRows(ledger).length > 0)
    await attempt.platform('teardown', undefined, (inTime) => provider.teardown(context, inTime), limitMs);
  // An engine that still runs could write the file again.
  if (platformRows(ledger).length > 0 && !how.removedByEngine && outcome.state !== 'complete') return;
  for (const row of ledger.open().filter(({ kind }) => kind === SHARE_FILE))
    await removeShareFile(attempt, outcome, row, how.removedByEngine);
}

async function removeShareFile(
  attempt: Attempt,
  outcome: Outcome,
  row: LedgerRow,
  removedByEngine: boolean,
): Promise<void> {
  // Committed: the file has its final name, and there is no partial one any more.
  if (outcome.state !== 'complete') {
    try {
      await onShare(attempt, (share, signal) => share.remove(row.name, signal));
    } catch (error) {
      // Where only the engine reaches the share, or got in, its word that it removed the file has to do.
      const isShut = isIpsError(error) && (error.code === 'SMB_UNREACHABLE' || error.code === 'SMB_LOGON_FAILED');
      if (!removedByEngine || !isShut) throw error;
    }
  }
  attempt.ledger.gone(row);
}

/**
 * Tells the engine that it is over.
 * @returns whether it has given its task up, and said that its partial file is removed
 */
async function stopEngine(attempt: Attempt, outcome: Outcome, longestMs: number): Promise<boolean> {
  const { record, environment } = attempt;
  const known = record.job.engine;
  if (!known || platformRows(attempt.ledger).length === 0) return false;
  const late = () => new IpsError('ENGINE_LOST', 'It did not give up in time.');
  const complete = outcome.state === 'complete';
  const limitMs = Math.min(longestMs, complete ? FINISH_MS : GIVE_UP_MS);
  try {
    return await limited(environment.clock, limitMs, late, undefined, async (signal) => {
      const engine = await attempt.engine(signal);
      if (complete) {
        await engine.finish(signal);
        return false;
      }
      await engine.cancel(signal);
      // Without the row it never got a task, and has nothing to give up.
      if (!attempt.ledger.open().some(({ kind }) => kind === SHARE_FILE)) return false;
      for await (const { body } of engine.events(known.cursor, signal))
        if (body.kind === 'cancelled' || body.kind === 'failed') return body.partialLeft !== true;
      return false;
    });
  } catch (error) {
    environment.log.info('the engine could not be told to stop', {
      reason: error instanceof Error ? error.message : String(error),
    });
    return false;
  }
}
