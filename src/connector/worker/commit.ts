/**
 * The commit. The cloud is asked, its grant goes into the journal, then the engine renames; from the grant on neither
 * cancel nor timeout counts. A grant counts for one lease: a worker that was paused for longer, or that starts anew,
 * asks again. When the job is another connector's by then, or the engine does not say what it did, nothing more is asked
 * of the engine: the share tells what happened.
 */
import { backoffMs } from '../../lib/backoff.ts';
import { IpsError, isIpsError, toIpsError } from '../../protocol/errors.ts';
import { TooLate } from '../engine-client.ts';
import { type Attempt, platformRows } from './attempt.ts';
import { PROVIDER_LONG_CALL_MS } from './limits.ts';
import { isLogonRefused, onShare } from './share-file.ts';

/** How often the engine is asked again when the file server failed it. */
const COMMIT_TRIES = 4;
const RETRY = { firstMs: 1_000, maxMs: 15_000 };

/**
 * Renames, or finds out whether it was renamed.
 * @throws IpsError when the final file is not in place; the signal's reason when it was never granted
 */
export async function commit(attempt: Attempt, signal: AbortSignal): Promise<void> {
  try {
    await rename(attempt, signal);
  } catch (error) {
    if (attempt.record.job.phase !== 'committing') throw error;
    const failure = toIpsError(error);
    // The server found another file under the final name: nothing was renamed, and that file is not ours.
    if (failure.code === 'TARGET_EXISTS') throw failure;
    await findOut(attempt, failure);
  }
}

async function rename(attempt: Attempt, signal: AbortSignal): Promise<void> {
  const { clock, random } = attempt.environment;
  for (let failures = 0; ; ) {
    const before = await grant(attempt, signal);
    let asked = 0;
    try {
      await attempt.withEngine(signal, (engine) => {
        asked += 1;
        return engine.commit(attempt.record.token, signal, before);
      });
      return;
    } catch (error) {
      // The grant was too old when it was to be used. Where it was used before, the engine did not answer: a failure.
      if (error instanceof TooLate && asked === 1) continue;
      if (!mayPass(error) || failures >= COMMIT_TRIES)
        throw error instanceof TooLate
          ? new IpsError('ENGINE_LOST', 'It takes the commit and does not answer.')
          : error;
    }
    await clock.sleep(backoffMs(RETRY, failures, random), signal);
    failures += 1;
  }
}

/** An engine to which the file server did not answer may be asked again: it recognises a rename that took place. */
function mayPass(error: unknown): boolean {
  return error instanceof TooLate || (isIpsError(error) && error.code.startsWith('SMB_') && !isLogonRefused(error));
}

/**
 * Asks the cloud, however long it is away; the first grant is in the journal before it is used.
 * @returns the monotonic time, in ms, from which on it counts no more
 */
async function grant({ supervisor, interruption, record }: Attempt, signal: AbortSignal): Promise<number> {
  const before = await supervisor.grant(signal);
  interruption.look();
  signal.throwIfAborted();
  record.storeGrant();
  return before;
}

/** First the engine must be gone, so that nothing moves any more. Nothing shortens this. */
async function findOut(attempt: Attempt, failure: IpsError): Promise<void> {
  const { clock, random, log } = attempt.environment;
  attempt.record.log('warn', `Nobody says whether the file is in place (${failure.code}); looking on the share.`);
  const limitMs = attempt.record.job.limits.cleanupTimeoutSeconds * 1000;
  const started = clock.monotonic();
  for (let tries = 0; ; tries += 1) {
    try {
      await removeEngine(attempt);
      if (await isInPlace(attempt)) return;
      break;
    } catch (error) {
      log.warn('looking on the share failed', { reason: error instanceof Error ? error.message : error });
      if (isLogonRefused(error) || clock.monotonic() - started > limitMs)
        throw new IpsError('COMMIT_UNKNOWN', failure.message);
    }
    await clock.sleep(backoffMs(RETRY, tries, random));
  }
  throw failure;
}

async function removeEngine(attempt: Attempt): Promise<void> {
  const { provider, context, ledger } = attempt;
  await attempt.platform('teardown', undefined, (inTime) => provider.teardown(context, inTime), PROVIDER_LONG_CALL_MS);
  if (platformRows(ledger).length > 0) throw new Error('the engine is not gone yet');
}

/** The partial file is gone, and a file of exactly the verified length has the final name. */
async function isInPlace(attempt: Attempt): Promise<boolean> {
  const [partial, final] = await onShare(attempt, async (share, inTime) => [
    await share.size(attempt.partialName, inTime),
    await share.size(attempt.fileName, inTime),
  ]);
  return partial === undefined && final !== undefined && final === attempt.record.job.engine?.verified?.fileSize;
}
