/** The task: given to the engine once, then followed by its numbered events until "verified". */
import type { EngineEvent, ExportTask, Verified } from '../../protocol/engine.ts';
import { type ErrorCode, IpsError, isErrorCode } from '../../protocol/errors.ts';
import { overallPercent, type Progress } from '../../protocol/job.ts';
import { parseSmbLocation } from '../../protocol/smb-location.ts';
import type { EngineClient } from '../engine-client.ts';
import { fileIdentity } from '../engine-keys.ts';
import { EngineSilence } from '../engine-tls.ts';
import { type Attempt, SHARE_FILE } from './attempt.ts';
import { removeByHand } from './share-file.ts';

/** Pause before a stream of events is opened anew, in ms. */
const REOPEN_MS = 200;

/** Gives the engine its task; the ledger knows of the partial file first. */
export async function submitTask(attempt: Attempt, signal: AbortSignal): Promise<void> {
  const { record, ledger } = attempt;
  if (record.job.engine?.verified) return;
  const credential = await attempt.desk.credential('run', signal);
  const location = parseSmbLocation(record.job.parameters.target.location);
  const removeWith = removeByHand(location, credential, attempt.partialName);
  const row = ledger.intent(SHARE_FILE, attempt.partialName, { removeWith });
  if (row.state !== 'intent') return;
  const task = await exportTask(attempt, signal);
  await attempt.withEngine(signal, (engine) => engine.putTask(task, signal));
  ledger.made(row, `${record.job.parameters.target.location}/${attempt.partialName}`);
}

async function exportTask(attempt: Attempt, signal: AbortSignal): Promise<ExportTask> {
  const { jobId, token, parameters } = attempt.record.job;
  const { serial, virtualSize, dataExtents } = await attempt.lockedSource(signal);
  const credential = await attempt.desk.credential('run', signal);
  return {
    kind: 'export',
    jobId,
    token,
    source: { serial, virtualSize, ...(dataExtents ? { dataExtents } : {}) },
    target: {
      share: credential.access((host) => attempt.provider.hostSeenFromEngine(host)),
      fileName: attempt.fileName,
      partialName: attempt.partialName,
      format: parameters.target.format,
      identity: fileIdentity(jobId, token),
    },
  };
}

/**
 * Follows the engine until it stands at "verified".
 * @throws IpsError with which the engine failed, ENGINE_LOST
 */
export async function followToVerified(attempt: Attempt, signal: AbortSignal): Promise<void> {
  while (!(await attempt.withEngine(signal, (engine) => followOnce(attempt, engine, signal))))
    await attempt.environment.clock.sleep(REOPEN_MS, signal);
}

/** Follows one stream of events to its end. @returns whether that was "verified" */
async function followOnce(attempt: Attempt, engine: EngineClient, signal: AbortSignal): Promise<boolean> {
  let heard = false;
  try {
    for await (const event of engine.events(attempt.record.job.engine?.cursor ?? 0, signal)) {
      heard = true;
      if (heed(attempt, event)) return true;
    }
  } catch (error) {
    // An engine that was just heard is not silent: the next stream tells whether it is now.
    if (!heard || !(error instanceof EngineSilence)) throw error;
  }
  return false;
}

/**
 * Takes one event in. The cursor does not pass an event that ends the task: who comes after us must see it too.
 * @returns whether the engine stands at "verified"
 */
function heed(attempt: Attempt, { seq, body }: EngineEvent): boolean {
  const { record } = attempt;
  const known = record.job.engine;
  if (!known || seq <= known.cursor) return false;
  const engine = { ...known, cursor: seq };
  switch (body.kind) {
    case 'progress':
      record.progress(progressOf(body));
      return false;
    case 'step':
      if (body.step === 'copy' || body.step === 'verify') record.follow(engine, { step: body.step });
      return false;
    case 'log':
      record.follow(engine, { bodies: [{ ...body, message: `engine: ${body.message}` }] });
      return false;
    case 'verified':
      record.follow({ ...engine, verified: body.verified satisfies Verified }, {});
      return true;
    case 'failed':
      throw engineFailure(body.error);
    case 'cancelled':
      throw new IpsError('ENGINE_LOST', 'It gave the task up by itself.');
    case 'committed':
      // Only after a commit that we asked for, and then nobody follows.
      return false;
  }
}

function progressOf(body: Extract<EngineEvent['body'], { kind: 'progress' }>): Progress {
  const { step, bytesDone, bytesTotal, bytesRead, bytesSkipped, bytesWritten, rate } = body;
  const left = rate > 0 ? { secondsLeft: Math.max(0, bytesTotal - bytesDone) / rate } : {};
  const overallProgressPercent = overallPercent(step, bytesTotal > 0 ? bytesDone / bytesTotal : 1);
  return { step, overallProgressPercent, bytesRead, bytesSkipped, bytesWritten, bytesTotal, rate, ...left };
}

/** An engine's error as ours; a code that this release does not know is told with its text. */
export function engineFailure(report: { code: string; message: string; hint: string }): IpsError {
  if (isErrorCode(report.code)) return IpsError.from({ ...report, code: report.code satisfies ErrorCode });
  return new IpsError('ENGINE_REFUSED', `${report.code}: ${report.message}`);
}
