/** A job as the API shows it. */
import { isTerminal, overallPercent } from '../../protocol/job.ts';
import type { JobView } from '../../protocol/rest.ts';
import type { ConnectorRecord } from '../store/connectors.ts';
import type { JobRecord } from '../store/jobs.ts';
import type { Nouns } from '../store/store.ts';
import type { JobTools } from './tools.ts';

/** @param nouns the store, or the transaction that the caller is in */
export async function viewJob(
  tools: Pick<JobTools, 'watch' | 'registry'>,
  nouns: Nouns,
  job: JobRecord,
): Promise<JobView> {
  const location = await nouns.locations.find(job.customerId, job.locationId);
  const progress = isTerminal(job.state) ? undefined : tools.watch.progress(job.id);
  const waitingFor = job.state === 'queued' ? await whyWaiting(tools, nouns, job, location?.name ?? '') : undefined;
  return {
    id: job.id,
    state: job.state,
    step: job.step,
    overallProgressPercent: Math.max(overallPercent(job.step, 0), progress?.overallProgressPercent ?? 0),
    progress,
    cancelRequested: job.cancelRequested,
    resourceLocation: location?.name ?? job.locationId,
    connector: job.connectorName,
    token: job.token,
    parameters: job.parameters,
    limits: job.limits,
    note: job.note,
    findings: job.findings,
    result: job.result,
    error: job.error,
    openLedger: (await nouns.ledger.open(job.id)).map(({ row }) => row),
    createdBy: job.createdBy,
    createdAt: job.createdAt,
    startedAt: job.startedAt,
    endedAt: job.endedAt,
    waitingFor,
  };
}

/** One sentence a person can act on: who would have to do what so that the job starts. */
async function whyWaiting(
  { registry }: Pick<JobTools, 'registry'>,
  nouns: Nouns,
  job: JobRecord,
  location: string,
): Promise<string> {
  const connectors = await nouns.connectors.ofLocation(job.locationId);
  if (connectors.length === 0) return `"${location}" has no connector yet: pair one with "ips connector pair".`;
  // One that was never here has not said what it serves.
  const mayServe = (one: ConnectorRecord) => one.lastSeenAt === null || one.platforms.includes(job.platform);
  const able = connectors.filter((one) => one.standing !== 'lost' && mayServe(one));
  if (able.length === 0) return `No connector of "${location}" has the platform ${job.platform}.`;
  const offered = connectors.find((one) => one.id === job.offer?.connectorId);
  if (offered) return `Offered to connector "${offered.name}"; its answer is awaited.`;
  const declined = new Set((await nouns.jobs.declines(job.id)).map(({ connectorId }) => connectorId));
  const asked = able.filter((one) => !declined.has(one.id));
  const names = (which: typeof able) => which.map((one) => `"${one.name}"`).join(', ');
  const cloned = asked.filter((one) => one.standing === 'cloned');
  const away = asked.filter((one) => one.standing === 'trusted' && !registry.get(one.id));
  const here = asked.filter((one) => one.standing === 'trusted' && registry.get(one.id));
  return [
    here.length > 0 ? `A free slot on connector ${names(here)}.` : '',
    away.length > 0 ? `Not connected: ${names(away)}.` : '',
    cloned.length > 0 ? `Not trusted (see "ips connector trust"): ${names(cloned)}.` : '',
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}
