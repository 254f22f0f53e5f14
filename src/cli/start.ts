/** Starting a job, once: a try without an answer is repeated with its key, and the user is given the key where tries end. */
import type { IpsClient } from '../client/client.ts';
import { newId } from '../lib/ids.ts';
import { IpsError, toIpsError } from '../protocol/errors.ts';
import type { CreateJob, JobView } from '../protocol/rest.ts';
import type { Context } from './context.ts';

/** @param wantedKey of the user's own choice; a fresh one otherwise */
export async function startJob(
  context: Context,
  client: IpsClient,
  request: CreateJob,
  wantedKey: string | undefined,
): Promise<JobView> {
  const key = wantedKey ?? newId('ips', context.random);
  let isUnanswered = false;
  const onLost = () => {
    isUnanswered = true;
    context.err.write('The cloud service does not answer; it is asked again with the same key.\n');
  };
  try {
    return await client.createJob(request, key, context.interrupted, onLost);
  } catch (error) {
    if (!isUnanswered && !context.interrupted.aborted) throw error;
    const { code, message, hint } = toIpsError(error).report();
    const repeat = `To start the job again but not twice, run the same command with --idempotency-key ${key}.`;
    throw IpsError.from({ code, message, hint: `${hint} ${repeat}` });
  }
}
