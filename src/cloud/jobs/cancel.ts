/**
 * Cancelling: a waiting job ends at once, a running one is asked to, and a committing one goes on. An offer that is out
 * when a waiting job is cancelled loses its token with it, so a late acceptance is answered with `stop`.
 */
import { IpsError } from '../../protocol/errors.ts';
import { isTerminal } from '../../protocol/job.ts';
import type { Caller } from '../http/caller.ts';
import type { JobRecord } from '../store/jobs.ts';
import { endByCloud } from './own-events.ts';
import { type JobTools, now } from './tools.ts';

/**
 * @returns the job as it is afterwards
 * @throws IpsError NOT_FOUND, JOB_COMMITTING, JOB_OVER
 */
export async function cancelJob(tools: JobTools, caller: Caller, jobId: string): Promise<JobRecord> {
  const at = now(tools);
  const job = await tools.store.change('job.cancel', async (tx) => {
    const before = await tx.jobs.find(caller.customerId, jobId);
    if (!before) throw new IpsError('NOT_FOUND', `No job is called "${jobId}".`);
    if (isTerminal(before.state)) throw new IpsError('JOB_OVER', `It is ${before.state}.`);
    const done =
      before.state === 'queued'
        ? await endByCloud(tx, jobId, ['queued'], tools.epoch, at, { state: 'cancelled' })
        : await tx.transitions.requestCancel(jobId);
    if (!done) throw new IpsError('JOB_COMMITTING');
    await tx.audit.add(
      { customerId: caller.customerId, actor: caller.actor, action: 'job.cancel', subject: jobId },
      at,
    );
    return (await tx.jobs.find(caller.customerId, jobId)) ?? before;
  });
  if (job.state === 'inProgress' && job.connectorId !== undefined && job.token !== undefined)
    tools.registry.get(job.connectorId)?.send({ type: 'cancel', jobId, token: job.token });
  tools.watch.changed(jobId);
  return job;
}
