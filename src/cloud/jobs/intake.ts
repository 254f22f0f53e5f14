/**
 * A new job: checked against the wallet and the targets of other live jobs, stored, and only then answered. The same
 * Idempotency-Key with the same request gives the same answer again, and no second job.
 */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { newId } from '../../lib/ids.ts';
import { IpsError } from '../../protocol/errors.ts';
import { platformOf, targetKey } from '../../protocol/job.ts';
import type { createJobSchema, JobView } from '../../protocol/rest.ts';
import type { Caller } from '../http/caller.ts';
import { findAllowed } from '../wallet/delivery.ts';
import { type JobTools, now } from './tools.ts';
import { viewJob } from './view.ts';

/** TARGET_BUSY, naming the job that has the target. */
export class TargetBusy extends IpsError {
  readonly jobId: string;

  constructor(jobId: string) {
    super('TARGET_BUSY', `It is job ${jobId}.`);
    this.jobId = jobId;
  }
}

/**
 * @returns the job as it is shown
 * @throws IpsError NOT_FOUND (the location), CREDENTIAL_NOT_FOUND, CREDENTIAL_TARGET_REFUSED, TARGET_BUSY,
 *   IDEMPOTENCY_KEY_REUSED
 */
export async function createJob(
  tools: JobTools,
  caller: Caller,
  request: z.output<typeof createJobSchema>,
  idempotencyKey: string | undefined,
): Promise<JobView> {
  const { customerId } = caller;
  const requestHash = createHash('sha256').update(JSON.stringify(request)).digest('hex');
  const at = now(tools);
  const { view, isNew } = await tools.store.change('job.create', async (tx) => {
    if (idempotencyKey !== undefined) {
      const known = await tx.jobs.remembered(customerId, idempotencyKey);
      if (known && known.requestHash !== requestHash) throw new IpsError('IDEMPOTENCY_KEY_REUSED');
      if (known) return { view: JSON.parse(known.answer) as JobView, isNew: false };
    }
    const location = await tx.locations.find(customerId, request.resourceLocation);
    if (!location) throw new IpsError('NOT_FOUND', `No resource location is called "${request.resourceLocation}".`);
    const { parameters, limits, note } = request;
    await findAllowed(tx, customerId, parameters);
    const id = newId('job', tools.random);
    await tx.jobs.add({
      id,
      customerId,
      locationId: location.id,
      platform: platformOf(parameters),
      parameters,
      limits,
      note,
      createdBy: caller.name,
      createdAt: at,
    });
    // A dry run writes nothing, so it is in nobody's way.
    const busy = parameters.dryRun ? undefined : await tx.jobs.claimTarget(customerId, targetKey(parameters), id);
    if (busy !== undefined) throw new TargetBusy(busy);
    await tx.audit.add(
      { customerId, actor: caller.actor, action: 'job.create', subject: id, detail: { parameters } },
      at,
    );
    const job = await tx.jobs.find(customerId, id);
    if (!job) throw new Error('a job vanished in the transaction that made it');
    const created = await viewJob(tools, tx, job);
    if (idempotencyKey !== undefined) {
      const answer = JSON.stringify(created);
      const createdMs = tools.clock.wall().getTime();
      await tx.jobs.remember({ customerId, key: idempotencyKey, requestHash, jobId: id, answer, createdMs });
    }
    return { view: created, isNew: true };
  });
  if (isNew) tools.log.info('job created', { jobId: view.id, by: caller.actor });
  return view;
}
