/**
 * A worker: the process that works on one job and token. It holds the job's lock before it touches anything, brings
 * the job to its outcome, tears down, and reports. Whatever it was doing when it died, the next one goes on from the
 * journal.
 */
import type { Ledger } from '../../../providers/contract.ts';
import { Files } from '../../lib/files.ts';
import { IpsError, isIpsError, toIpsError } from '../../protocol/errors.ts';
import { type JobParameters, platformOf } from '../../protocol/job.ts';
import type { Token } from '../../protocol/token.ts';
import { engineSecret } from '../engine-keys.ts';
import type { JobLock } from '../job-lock.ts';
import { Journal } from '../journal.ts';
import { JobLedger } from '../ledger.ts';
import type { WorkerMode } from '../worker-messages.ts';
import { announced } from './announced-ledger.ts';
import { Attempt } from './attempt.ts';
import { cleanUp } from './cleanup.ts';
import { CredentialDesk } from './credential.ts';
import type { WorkerEnvironment } from './environment.ts';
import { Interruption } from './interruption.ts';
import { limited, PROVIDER_CALL_MS } from './limits.ts';
import { decideOutcome } from './outcome.ts';
import { JobRecord } from './record.ts';
import { finalResult } from './result.ts';
import { Supervisor } from './supervisor.ts';

/** How long an earlier worker of the job is waited for before that is told, in ms. */
const LOCK_QUIET_MS = 2_000;

/**
 * Works on a job of the journal until its end is told there, or, for one whose end was told before, until its ledger
 * is empty or the time for that is up.
 * @param mode `teardown` ends a job that has no outcome yet as failed
 * @throws Error when the journal does not have the job, or it cannot be worked on now: another worker may try later
 */
export async function runWorker(
  environment: WorkerEnvironment,
  jobId: string,
  token: Token,
  mode: Exclude<WorkerMode, 'claim'>,
): Promise<void> {
  const lock = await takeLock(environment, jobId);
  const journal = new Journal(environment.journalPath, environment.doors, environment.clock);
  try {
    const record = new JobRecord(journal, environment.channel, jobId, token);
    await work(environment, journal, record, mode);
  } finally {
    journal.close();
    await lock.release();
  }
}

/**
 * An earlier worker that hangs in a file call, or still removes what an earlier token made, may keep the lock for long.
 * To give up would help nobody: the next worker would wait for the same lock.
 */
async function takeLock({ clock, log, acquireLock }: WorkerEnvironment, jobId: string): Promise<JobLock> {
  const waiting = clock.after(LOCK_QUIET_MS, () => log.warn('waiting for an earlier worker of this job to end'));
  try {
    return await acquireLock(jobId);
  } finally {
    waiting.cancel();
  }
}

async function work(
  environment: WorkerEnvironment,
  journal: Journal,
  record: JobRecord,
  mode: WorkerMode,
): Promise<void> {
  const { doors, random, connectorId } = environment;
  const { jobId, token } = record;
  const supervisor = new Supervisor(environment.channel, environment.clock);
  const interruption = new Interruption(environment.clock, () => record.job);
  supervisor.onLook(() => interruption.look());
  const rows = new JobLedger({ journal, doors, random }, { jobId, token, connectorId });
  const ledger = announced(rows, () => record.announce());
  try {
    const attempt = new Attempt({
      environment,
      record,
      supervisor,
      interruption,
      ledger,
      desk: new CredentialDesk(environment, record, supervisor),
      provider: await environment.openProvider(platformOf(record.job.parameters)),
      engineSecret: await engineSecret(environment.engineSecretPath, new Files(doors), random),
    });
    await bringToEnd(attempt, mode);
  } catch (error) {
    if (mode !== 'teardown' || record.job.phase === 'leftover') throw error;
    environment.log.error('the job is given up', { error });
    giveUp(record, ledger, toIpsError(error));
  } finally {
    interruption.close();
  }
}

/**
 * Nothing can be done for the job, not even its teardown, and it was tried often enough: it ends all the same, with
 * what is left. A journal that cannot be written throws again here.
 */
function giveUp(record: JobRecord, ledger: Ledger, reason: IpsError): void {
  const failure = record.job.phase === 'committing' ? new IpsError('COMMIT_UNKNOWN', reason.message) : reason;
  record.storeOutcome({ state: 'failed', result: { leftovers: [] }, error: failure.report() });
  const { outcome } = record.job;
  if (outcome) record.end({ ...outcome, result: finalResult(outcome.result, record.job, ledger) });
}

async function bringToEnd(attempt: Attempt, mode: WorkerMode): Promise<void> {
  const { record, ledger } = attempt;
  const told = record.job.phase === 'leftover';
  if (!record.job.outcome) record.storeOutcome(await decideOutcome(attempt, mode));
  const { outcome } = record.job;
  if (!outcome) throw new Error('the outcome was stored and is not there');
  if (ledger.open().length > 0) record.enterStep('cleanup');
  await cleanUp(attempt, outcome, told);
  if (!told) record.end({ ...outcome, result: finalResult(outcome.result, record.job, ledger) });
  if (ledger.open().length === 0) record.dropEnvelopes();
}

/**
 * Answers one `claim` of the supervisor: whether this connector can serve the source at all. No job, no lock.
 * @throws Error when that cannot be said now: there is no answer then, since a decline would be for good
 */
export async function runClaim(environment: Omit<WorkerEnvironment, 'journalPath'>): Promise<void> {
  const parameters = await new Promise<JobParameters>((resolve) => {
    environment.channel.onMessage((message) => {
      if (message.type === 'claim') resolve(message.parameters);
    });
  });
  const late = () => new IpsError('INTERNAL', `The platform did not answer in ${PROVIDER_CALL_MS / 1000} s.`);
  try {
    await limited(environment.clock, PROVIDER_CALL_MS, late, undefined, async (signal) => {
      const provider = await environment.openProvider(platformOf(parameters));
      await provider.claim(parameters, signal);
    });
    environment.channel.send({ type: 'claimed' });
  } catch (error) {
    // What is configured wrongly stays wrong until somebody reads of it, which is in the job.
    const isForGood = isIpsError(error) && (error.code === 'SOURCE_NOT_HERE' || error.code === 'CONFIG_INVALID');
    if (!isForGood) throw error;
    environment.channel.send({ type: 'claimed', error: error.report() });
  }
}
