/**
 * Offers and their answers. An offer carries the token that the holder would have; it becomes the job's token with the
 * acceptance, and until then the old holder (if there is one) stays the holder.
 */
import { type ErrorReport, IpsError } from '../../protocol/errors.ts';
import type { Token } from '../../protocol/token.ts';
import type { LiveConnector } from '../connectors/registry.ts';
import type { JobRecord } from '../store/jobs.ts';
import { nextToken, tellAsCloud } from './own-events.ts';
import { type JobTools, now } from './tools.ts';

/** @returns whether the offer is out: false when the job has changed meanwhile */
export async function makeOffer(tools: JobTools, job: JobRecord, to: LiveConnector): Promise<Token | undefined> {
  const token = nextToken(job.lastToken, tools.epoch);
  const stored = await tools.store.change('job.offer', async (tx) => {
    if (!(await tx.transitions.offer(job.id, job.lastToken, to.connectorId, token))) return false;
    await tx.bearers.add(job.id, token, to.connectorId);
    return true;
  });
  if (!stored) return undefined;
  to.send({ type: 'offer', jobId: job.id, token, parameters: job.parameters, limits: job.limits });
  return token;
}

/**
 * Makes the offered connector the holder, also when its answer took so long that the offer was withdrawn, as long as
 * nothing was given to anybody since.
 * @returns false when the offer does not stand any more
 */
export async function recordAcceptance(
  tools: JobTools,
  by: LiveConnector,
  jobId: string,
  token: Token,
): Promise<boolean> {
  const { store, leases } = tools;
  const job = await store.jobs.byId(jobId);
  if (!job || (await store.bearers.of(jobId, token)) !== by.connectorId) return false;
  const isLate = job.state === 'queued' && job.offer === undefined && job.lastToken === token;
  if (job.offer?.token !== token && !isLate) return false;
  // The old holder was heard after the offer went out: it keeps the job.
  if (job.token !== undefined && !leases.isExpired(jobId, job.token)) {
    await store.change('job.withdraw', (tx) => tx.transitions.withdrawOffer(jobId, token));
    return false;
  }
  const accepted = await store.change('job.accept', async (tx) => {
    const connector = await tx.connectors.byId(by.connectorId);
    if (connector?.standing !== 'trusted') {
      await tx.transitions.withdrawOffer(jobId, token);
      return false;
    }
    const holder = { connectorId: by.connectorId, connectorName: by.name, token };
    const { transitions } = tx;
    return await (isLate ? transitions.acceptLate : transitions.accept).call(transitions, jobId, holder, now(tools));
  });
  if (!accepted) return false;
  leases.renew(jobId, token);
  tools.watch.dropProgress(jobId);
  tools.watch.changed(jobId);
  tools.log.info('job accepted', { jobId, token, connector: by.name, from: job.connectorName });
  if (job.cancelRequested) by.send({ type: 'cancel', jobId, token });
  return true;
}

/** A connector does not take the job: it is not asked again. */
export async function recordDecline(
  tools: JobTools,
  by: LiveConnector,
  jobId: string,
  token: Token,
  reason: ErrorReport,
): Promise<void> {
  const at = now(tools);
  const declined = await tools.store.change('job.decline', async (tx) => {
    const job = await tx.jobs.byId(jobId);
    if (job?.offer?.connectorId !== by.connectorId) return false;
    if (!(await tx.transitions.withdrawOffer(jobId, token))) return false;
    await tx.jobs.addDecline(jobId, by.connectorId, reason, at);
    const message = `Connector "${by.name}" declined: ${reason.message}`;
    await tellAsCloud(tx, jobId, tools.epoch, at, { kind: 'log', level: 'info', message });
    return true;
  });
  if (declined) tools.watch.changed(jobId);
}

/** A connector's answer to an offer. What does not stand any more is answered with `stop`. */
export async function answerOffer(
  tools: JobTools,
  by: LiveConnector,
  answer: { jobId: string; token: Token; accepted: boolean; reason?: ErrorReport | undefined },
): Promise<void> {
  const { jobId, token } = answer;
  if (!answer.accepted) {
    const reason = answer.reason ?? new IpsError('NO_CONNECTOR', 'It gave no reason.').report();
    await recordDecline(tools, by, jobId, token, reason);
    return;
  }
  if (await recordAcceptance(tools, by, jobId, token)) return;
  const job = await tools.store.jobs.byId(jobId);
  const isHolder = job?.connectorId === by.connectorId && job.token === token;
  if (!isHolder) by.send({ type: 'settle', jobId, token, action: 'stop' });
}
