/**
 * The commit. The cloud is asked, its grant goes into the journal, then the engine renames. From the grant on neither
 * cancel nor timeout counts: what happened on the share is found out, whatever becomes of the engine.
 */
import { backoffMs } from '../../lib/backoff.ts';
import { IpsError, isIpsError } from '../../protocol/errors.ts';
import { type Attempt, platformRows } from './attempt.ts';
import { PROVIDER_LONG_CALL_MS } from './limits.ts';
import { onShare } from './share-file.ts';

/** How often the engine is asked again when the file server failed it. */
const COMMIT_TRIES = 4;
const LOOK_RETRY = { firstMs: 1_000, maxMs: 15_000 };

/** Waits for the grant, however long the cloud is away; the interruption ends that wait. */
export async function awaitGrant(attempt: Attempt, signal: AbortSignal): Promise<void> {
  if (attempt.record.job.phase === 'committing') return;
  await attempt.supervisor.grant(signal);
  attempt.interruption.look();
  signal.throwIfAborted();
  attempt.record.storeGrant();
  attempt.interruption.granted();
}

/**
 * Renames, or finds out whether it was renamed.
 * @throws IpsError when the final file is not in place
 */
export async function commit(attempt: Attempt, signal: AbortSignal): Promise<void> {
  try {
    await askEngine(attempt, signal);
  } catch (error) {
    // The server found another file under the final name: nothing was renamed, and that file is not ours.
    if (!isIpsError(error) || error.code === 'TARGET_EXISTS') throw error;
    await findOut(attempt, error, signal);
  }
}

/** An engine to which the file server did not answer may be asked again: it recognises a rename that took place. */
async function askEngine(attempt: Attempt, signal: AbortSignal): Promise<void> {
  const { clock, random } = attempt.environment;
  for (let tries = 0; ; tries += 1) {
    try {
      await attempt.withEngine(signal, (engine) => engine.commit(attempt.record.token, signal));
      return;
    } catch (error) {
      if (!isIpsError(error) || !error.code.startsWith('SMB_') || tries >= COMMIT_TRIES) throw error;
    }
    await clock.sleep(backoffMs(LOOK_RETRY, tries, random), signal);
  }
}

/**
 * The engine cannot say whether it renamed: the share can. First the engine must be gone, so that nothing moves any
 * more.
 */
async function findOut(attempt: Attempt, failure: IpsError, signal: AbortSignal): Promise<void> {
  const { record, environment } = attempt;
  record.log('warn', `The engine did not confirm the commit (${failure.code}); looking on the share.`);
  const limitMs = record.job.limits.cleanupTimeoutSeconds * 1000;
  const started = environment.clock.monotonic();
  for (let tries = 0; ; tries += 1) {
    signal.throwIfAborted();
    try {
      await removeEngine(attempt, signal);
      if (await isInPlace(attempt, signal)) return;
      throw failure;
    } catch (error) {
      if (error === failure) throw failure;
      signal.throwIfAborted();
      if (environment.clock.monotonic() - started > limitMs) throw new IpsError('COMMIT_UNKNOWN', failure.message);
      environment.log.warn('looking on the share failed', { reason: error instanceof Error ? error.message : error });
    }
    await environment.clock.sleep(backoffMs(LOOK_RETRY, tries, environment.random), signal);
  }
}

async function removeEngine(attempt: Attempt, signal: AbortSignal): Promise<void> {
  const { provider, context, ledger } = attempt;
  await attempt.platform('teardown', signal, (inTime) => provider.teardown(context, inTime), PROVIDER_LONG_CALL_MS);
  if (platformRows(ledger).length > 0) throw new Error('the engine is not gone yet');
}

/** The partial file is gone, and a file of exactly the verified length has the final name. */
async function isInPlace(attempt: Attempt, signal: AbortSignal): Promise<boolean> {
  const [partial, final] = await onShare(attempt, signal, async (share, inTime) => [
    await share.size(attempt.partialName, inTime),
    await share.size(attempt.fileName, inTime),
  ]);
  return partial === undefined && final !== undefined && final === attempt.record.job.engine?.verified?.fileSize;
}
