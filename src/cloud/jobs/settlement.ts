/**
 * After a reconnect: for each job that either side believes the connector to hold, the one action of the table in
 * protocol/reconciliation.ts is carried out. No decision is made here; this file only finds the table's row and column.
 */
import { IpsError } from '../../protocol/errors.ts';
import type { HeldJob } from '../../protocol/link.ts';
import {
  type CloudAction,
  type CloudView,
  type ConnectorView,
  type SettleAction,
  settle,
  type TokenRelation,
  tokenRelation,
} from '../../protocol/reconciliation.ts';
import { compareTokens, parseToken, type Token } from '../../protocol/token.ts';
import type { LiveConnector } from '../connectors/registry.ts';
import type { JobRecord } from '../store/jobs.ts';
import { mayBear } from './history.ts';
import { recordAcceptance } from './offers.ts';
import { endByCloud, requeue } from './own-events.ts';
import { type JobTools, now } from './tools.ts';

/** Tries for one job when others change it at the same moment. */
const MAX_TRIES = 5;

/** Settles everything with a connector that has just been welcomed, before it is offered anything. */
export async function settleAll(tools: JobTools, live: LiveConnector, held: readonly HeldJob[]): Promise<void> {
  const believed = [
    ...(await tools.store.jobs.heldBy(live.connectorId)),
    ...(await tools.store.jobs.offeredTo(live.connectorId)),
  ];
  const jobIds = new Set([...held.map(({ jobId }) => jobId), ...believed.map(({ id }) => id)]);
  for (const jobId of jobIds) {
    const entries = held.filter((entry) => entry.jobId === jobId);
    try {
      await settleJob(tools, live, jobId, entries);
    } catch (error) {
      // One job must not lock a connector out that holds others; this one is settled at its next return.
      tools.log.error('a job could not be settled', { jobId, connector: live.name, error });
    }
  }
}

async function settleJob(
  tools: JobTools,
  live: LiveConnector,
  jobId: string,
  entries: readonly HeldJob[],
): Promise<void> {
  for (const entry of entries) await settleOne(tools, live, jobId, entry);
  const token = cloudSide(await tools.store.jobs.byId(jobId), live).token;
  const hasIt = entries.some((entry) => token !== undefined && compareTokens(entry.token, token) >= 0);
  if (!hasIt) await settleOne(tools, live, jobId, undefined);
}

async function settleOne(
  tools: JobTools,
  live: LiveConnector,
  jobId: string,
  entry: HeldJob | undefined,
): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const job = await tools.store.jobs.byId(jobId);
    const cloud = cloudSide(job, live);
    const connector: ConnectorView = entry?.state ?? 'absent';
    const relation = entry ? await relationOf(tools, live, entry, cloud) : 'same';
    const view = relation === 'impossible' ? 'unknown' : cloud.view;
    const { cloud: action, connector: told } = settle(view, connector, relation === 'impossible' ? 'same' : relation);
    if (!(await act(tools, live, job, entry, action))) continue;
    if (told && entry && keepsLease(told) && !(await keepLease(tools, live, entry))) continue;
    tools.log.info('settled', { jobId, connector: live.name, cloudView: view, connectorView: connector, action, told });
    if (told && entry) live.send({ type: 'settle', jobId, token: entry.token, action: told });
    return;
  }
  throw new IpsError('INTERNAL', `Job ${jobId} changes too fast to be settled.`);
}

function keepsLease(action: SettleAction): boolean {
  return action !== 'stop' && action !== 'forget';
}

/** @returns false when somebody else has become the holder meanwhile */
async function keepLease(tools: JobTools, live: LiveConnector, { jobId, token }: HeldJob): Promise<boolean> {
  // Counted before the look: an acceptance by somebody else checks the lease first, so one of the two is seen.
  tools.leases.renew(jobId, token);
  const holder = { connectorId: live.connectorId, token };
  return await tools.store.change('lease.keep', (tx) => tx.transitions.confirmHolder(jobId, holder));
}

/** The table's row: what the store says of the job, seen from this connector, and the token to compare with. */
export function cloudSide(
  job: JobRecord | undefined,
  live: Pick<LiveConnector, 'connectorId' | 'locationId'>,
): { view: CloudView; token: Token | undefined } {
  if (!job || job.locationId !== live.locationId) return { view: 'unknown', token: undefined };
  const isHolder = job.connectorId === live.connectorId;
  switch (job.state) {
    case 'complete':
    case 'failed':
    case 'cancelled':
      return { view: 'over', token: job.token };
    case 'committing':
      return { view: isHolder ? 'committing' : 'elsewhere', token: job.token };
    case 'queued':
    case 'inProgress':
      if (job.offer?.connectorId === live.connectorId) return { view: 'offered', token: job.offer.token };
      if (job.state === 'queued') return { view: 'queued', token: job.lastToken };
      if (!isHolder) return { view: 'elsewhere', token: job.token };
      return { view: job.cancelRequested ? 'cancelling' : 'held', token: job.token };
  }
}

/**
 * How the connector's token stands to the cloud's. `impossible` is one that this cloud did not give to that connector,
 * or whose offer it has withdrawn: no reason to follow its bearer.
 */
async function relationOf(
  tools: JobTools,
  live: LiveConnector,
  { jobId, token }: HeldJob,
  cloud: { view: CloudView; token: Token | undefined },
): Promise<TokenRelation | 'impossible'> {
  if (cloud.view !== 'unknown' && !(await mayBear(tools, live.connectorId, jobId, token))) return 'impossible';
  if (cloud.view === 'unknown' || cloud.view === 'over') return tokenRelation(token, cloud.token);
  // A waiting job that was never offered to anybody, as far as this cloud remembers: whoever holds it is ahead.
  const relation = cloud.token === undefined ? 'newer' : tokenRelation(token, cloud.token);
  return relation === 'newer' && parseToken(token).epoch >= tools.epoch ? 'impossible' : relation;
}

/** Carries out the cloud's part. @returns false when the job has changed since it was looked at */
async function act(
  tools: JobTools,
  live: LiveConnector,
  job: JobRecord | undefined,
  entry: HeldJob | undefined,
  action: CloudAction,
): Promise<boolean> {
  if (action === 'none' || !job) return true;
  const at = now(tools);
  const { store, epoch, watch } = tools;
  const done = await (() => {
    switch (action) {
      case 'accept':
        return entry ? recordAcceptance(tools, live, job.id, entry.token) : Promise.resolve(false);
      case 'adopt':
        return store.change('job.adopt', async (tx) => {
          if (!entry) return false;
          const holder = { connectorId: live.connectorId, connectorName: live.name, token: entry.token };
          const state = entry.state === 'committing' ? 'committing' : 'inProgress';
          await tx.bearers.add(job.id, entry.token, live.connectorId);
          return await tx.transitions.adopt(job.id, job.lastToken, holder, state, at);
        });
      case 'requeue':
        return store.change('job.requeue', (tx) =>
          job.offer?.connectorId === live.connectorId
            ? tx.transitions.withdrawOffer(job.id, job.offer.token)
            : requeue(tx, job, epoch, at),
        );
      case 'failUnknown':
        return store.change('job.failUnknown', (tx) =>
          endByCloud(tx, job.id, ['committing'], epoch, at, {
            state: 'failed',
            error: new IpsError('COMMIT_UNKNOWN').report(),
          }),
        );
    }
  })();
  if (done) watch.changed(job.id);
  return done;
}
