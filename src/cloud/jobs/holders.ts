/** What only a job's holder may do: renew its lease, and ask for the grant to commit. */
import { type ErrorReport, IpsError } from '../../protocol/errors.ts';
import type { Token } from '../../protocol/token.ts';
import type { LiveConnector } from '../connectors/registry.ts';
import type { JobTools } from './tools.ts';

interface Lease {
  jobId: string;
  token: Token;
}

/** Renews leases. @returns those that are not this connector's any more */
export async function renewLeases(tools: JobTools, by: LiveConnector, leases: readonly Lease[]): Promise<Lease[]> {
  const refused: Lease[] = [];
  for (const { jobId, token } of leases) {
    if (!(await renewLease(tools, by, { jobId, token }))) refused.push({ jobId, token });
  }
  return refused;
}

async function renewLease(tools: JobTools, by: LiveConnector, { jobId, token }: Lease): Promise<boolean> {
  const { connectorId } = by;
  const before = await tools.store.jobs.byId(jobId);
  if (before?.token !== token || before.connectorId !== connectorId || before.endedAt !== undefined) return false;
  // Counted before the second look: an acceptance by somebody else checks the lease first, so one of the two is seen.
  tools.leases.renew(jobId, token);
  const job = await tools.store.jobs.byId(jobId);
  // Said again with each renewal: a cancel that came while the connector was on its way back, or accepting, was not heard.
  if (job?.token === token && job.state === 'inProgress' && job.cancelRequested)
    by.send({ type: 'cancel', jobId, token });
  if (!job?.offer) return job?.token === token;
  return await tools.store.change('lease.keep', (tx) => tx.transitions.confirmHolder(jobId, { connectorId, token }));
}

/**
 * Grants the commit, durably, before it returns; the same request again is granted again.
 * @returns why not, or undefined when it is granted
 */
export async function grantCommit(tools: JobTools, by: LiveConnector, lease: Lease): Promise<ErrorReport | undefined> {
  const { jobId, token } = lease;
  const holder = { connectorId: by.connectorId, token };
  const granted = await tools.store.change('job.grant', async (tx) => {
    if (await tx.transitions.grant(jobId, holder)) return undefined;
    const job = await tx.jobs.byId(jobId);
    const isHolder = job?.connectorId === by.connectorId && job.token === token;
    if (isHolder && job.state === 'committing') return undefined;
    const cancelled = job?.state === 'cancelled' || (isHolder && job.cancelRequested);
    return new IpsError(cancelled ? 'JOB_CANCELLED' : 'LEASE_LOST').report();
  });
  if (granted === undefined) {
    tools.leases.renew(jobId, token);
    tools.watch.changed(jobId);
  }
  return granted;
}
