/** Starting the engine and handing over its session key. */
import { backoffMs } from '../../lib/backoff.ts';
import { deadlineSignal } from '../../lib/clock.ts';
import { type EngineStatus, USER_DATA_MAGIC, USER_DATA_SIZE, type UserData } from '../../protocol/engine.ts';
import { IpsError } from '../../protocol/errors.ts';
import { type EngineAddress, EngineSilence, EngineStranger } from '../engine-tls.ts';
import type { Attempt } from './attempt.ts';
import { ENGINE_DEADLINE_SECONDS } from './deadline.ts';
import { PROVIDER_LONG_CALL_MS } from './limits.ts';

/** Limit of one try to connect, in ms: a port forwarder takes connections for a guest that does not listen yet. */
const CONNECT_TRY_MS = 5_000;
const RETRY = { firstMs: 250, maxMs: 1_500 };

/** Starts the engine, or finds the one that was started. One that was already spoken to is never started again. */
export async function startEngine(attempt: Attempt, signal: AbortSignal): Promise<void> {
  const { parameters, engine } = attempt.record.job;
  if (engine) return;
  const request = { parameters, userData: userData(attempt) };
  await attempt.platform(
    'startEngine',
    signal,
    (inTime) => attempt.provider.startEngine(request, attempt.context, inTime),
    PROVIDER_LONG_CALL_MS,
  );
}

/** The content of the config disk: magic, JSON, NUL bytes. It holds the boot key. */
function userData(attempt: Attempt): Buffer {
  const { jobId, token, limits } = attempt.record.job;
  const hard = limits.timeoutSeconds + limits.cleanupTimeoutSeconds;
  const data: UserData = {
    jobId,
    token,
    bootKey: attempt.bootKey.key.toString('hex'),
    deadlineSeconds: Math.min(ENGINE_DEADLINE_SECONDS, hard),
    hardDeadlineSeconds: hard,
  };
  const disk = Buffer.alloc(USER_DATA_SIZE);
  disk.write(USER_DATA_MAGIC + JSON.stringify(data), 'utf8');
  return disk;
}

/**
 * Waits until the engine answers, gives it the session key, and takes its user data away.
 * @throws IpsError ENGINE_UNREACHABLE, ENGINE_IMPOSTOR, ENGINE_LOST
 */
export async function connectEngine(attempt: Attempt, signal: AbortSignal): Promise<void> {
  const { record, environment, provider } = attempt;
  if (!record.job.engine) {
    const limitMs = environment.engineStartTimeoutMs;
    const late = () => new IpsError('ENGINE_UNREACHABLE', `It had ${limitMs / 1000} s.`);
    const limit = deadlineSignal(environment.clock, limitMs, late, signal);
    try {
      const { bootId, engineVersion } = await firstSession(attempt, limit.signal);
      const message = `engine ${engineVersion} answers, boot ${bootId}`;
      record.follow(
        { bootId, version: engineVersion, cursor: 0 },
        { bodies: [{ kind: 'log', level: 'info', message }] },
      );
    } finally {
      limit.release();
    }
  }
  await attempt.platform('removeUserData', signal, (inTime) => provider.removeUserData(attempt.context, inTime));
}

async function firstSession(attempt: Attempt, signal: AbortSignal): Promise<EngineStatus> {
  const { clock, random } = attempt.environment;
  for (let tries = 0; ; tries += 1) {
    const address = await attempt.platform('engineAddress', signal, (inTime) =>
      attempt.provider.engineAddress(attempt.context, inTime),
    );
    if (address) {
      const answer = await trySession(attempt, address, signal);
      if (answer) return answer;
      const alive = await attempt.platform('engineAlive', signal, (inTime) =>
        attempt.provider.engineAlive(attempt.context, inTime),
      );
      if (!alive) throw new IpsError('ENGINE_LOST', 'It stopped before it answered.');
    }
    await clock.sleep(backoffMs(RETRY, tries, random), signal);
  }
}

/** One try; undefined while nobody is there. */
async function trySession(
  attempt: Attempt,
  address: EngineAddress,
  signal: AbortSignal,
): Promise<EngineStatus | undefined> {
  const silence = () => new EngineSilence('no answer yet');
  const limit = deadlineSignal(attempt.environment.clock, CONNECT_TRY_MS, silence, signal);
  try {
    return await greet(attempt, address, limit.signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof EngineSilence) return undefined;
    if (error instanceof EngineStranger) throw new IpsError('ENGINE_IMPOSTOR', error.message);
    throw error;
  } finally {
    limit.release();
  }
}

/**
 * An engine that took the session key from us before, in a try that we did not see to its end, knows the boot key no
 * more: it is asked under the session key before anybody is called an impostor.
 */
async function greet(attempt: Attempt, address: EngineAddress, signal: AbortSignal): Promise<EngineStatus> {
  try {
    return await attempt.client(address, attempt.bootKey).putSession(attempt.sessionKey.key, signal);
  } catch (error) {
    if (!(error instanceof EngineStranger)) throw error;
    return await attempt.client(address, attempt.sessionKey).status(signal);
  }
}
