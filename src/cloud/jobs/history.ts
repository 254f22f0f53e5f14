/**
 * Events from connectors into the store: each once, in order, each with the change of the job that follows from it, in
 * one transaction. What comes under a stale token is kept as history and changes nothing, but for the ledger: what
 * exists, exists whoever made it.
 */
import { knownReport } from '../../protocol/errors.ts';
import type { JobEvent } from '../../protocol/event.ts';
import type { Finding } from '../../protocol/finding.ts';
import { parseToken, type Token } from '../../protocol/token.ts';
import type { LiveConnector } from '../connectors/registry.ts';
import type { JobRecord } from '../store/jobs.ts';
import type { Nouns } from '../store/store.ts';
import { recordAcceptance } from './offers.ts';
import { requeue } from './own-events.ts';
import { type JobTools, now } from './tools.ts';

export interface Stored {
  jobId: string;
  token: string;
  seq: number;
}

/**
 * Stores what can be stored.
 * @returns for each job and token, up to which number everything is stored; after a gap nothing is
 */
export async function storeEvents(tools: JobTools, by: LiveConnector, events: readonly JobEvent[]): Promise<Stored[]> {
  const stored: Stored[] = [];
  for (const group of groups(events)) {
    const [{ jobId, token }] = group;
    const job = await tools.store.jobs.byId(jobId);
    if (!job || job.locationId !== by.locationId || !(await mayBear(tools, by.connectorId, jobId, token))) {
      // This (restored) cloud has no such job, or never gave this token to that connector: nobody will ever read this
      // as history, so let the outbox drain.
      tools.log.warn('events that are not of this job were dropped', { jobId, token, connector: by.name });
      stored.push({ jobId, token, seq: Math.max(...group.map((event) => event.seq)) });
      continue;
    }
    // The connector journals its acceptance before it answers the offer, so the event may be here first.
    if (job.token !== token) await recordAcceptance(tools, by, jobId, token);
    const seq = await tools.store.change('events', (tx) => storeGroup(tools, tx, by, group));
    if (seq > 0) stored.push({ jobId, token, seq });
    tools.watch.changed(jobId);
  }
  return stored;
}

/**
 * Whether a connector can have been given a token of a job. A restored cloud has forgotten whom it gave the tokens of
 * earlier epochs: the first one who comes with such a token is taken for its bearer.
 */
export async function mayBear(tools: JobTools, connectorId: string, jobId: string, token: Token): Promise<boolean> {
  const bearer = await tools.store.bearers.of(jobId, token);
  return bearer === undefined ? parseToken(token).epoch < tools.epoch : bearer === connectorId;
}

type Group = [JobEvent, ...JobEvent[]];

function groups(events: readonly JobEvent[]): Group[] {
  const all: Group[] = [];
  for (const event of events) {
    const last = all.at(-1);
    if (last?.[0].jobId === event.jobId && last[0].token === event.token) last.push(event);
    else all.push([event]);
  }
  return all;
}

async function storeGroup(tools: JobTools, tx: Nouns, by: LiveConnector, group: Group): Promise<number> {
  const [{ jobId, token }] = group;
  await tx.bearers.add(jobId, token, by.connectorId);
  let last = await tx.events.lastSeq(jobId, token);
  for (const event of group) {
    if (event.seq <= last) continue;
    // A restored cloud may have acknowledged, and forgotten, what lies in the gap; nobody else has an excuse.
    if (event.seq > last + 1 && parseToken(token).epoch >= tools.epoch) break;
    const id = await tx.transitions.nextEventId(jobId);
    await tx.events.add({ ...event, id, connectorId: by.connectorId });
    await apply(tools, tx, by, event, id);
    last = event.seq;
  }
  return last;
}

async function apply(tools: JobTools, tx: Nouns, by: LiveConnector, event: JobEvent, id: number): Promise<void> {
  const { jobId, token, body } = event;
  if (body.kind === 'ledger') {
    await tx.ledger.put(jobId, by.connectorId, token, body.row, id);
    return;
  }
  const job = await tx.jobs.byId(jobId);
  if (!job || job.token !== token || job.connectorId !== by.connectorId) return;
  const holder = { connectorId: by.connectorId, token };
  switch (body.kind) {
    case 'step':
      await tx.transitions.setStep(jobId, holder, body.step);
      return;
    case 'findings':
      await tx.transitions.setFindings(jobId, holder, merged(job.findings, body.findings));
      return;
    case 'ended': {
      if (body.state === 'complete' && !mayComplete(tools, job)) {
        tools.log.error('a success without a grant to commit was not believed', { jobId, token, connector: by.name });
        return;
      }
      // Whom it obeyed when it stopped was this cloud before its restore, and the job was another one's then.
      const isStopped = body.state === 'cancelled' && body.error?.code === 'LEASE_LOST';
      if (isStopped && (await requeue(tx, job, tools.epoch, now(tools)))) return;
      const ending = { state: body.state, result: body.result, error: body.error && knownReport(body.error) };
      await tx.transitions.end(jobId, ['inProgress', 'committing'], ending, now(tools));
      tools.leases.drop(jobId);
      tools.watch.dropProgress(jobId);
      return;
    }
    case 'accepted':
    case 'log':
      return;
  }
}

/** A success needs the grant, except where nothing is written, or where a restored cloud has forgotten its grant. */
function mayComplete(tools: JobTools, job: JobRecord): boolean {
  const isRestored = job.token !== undefined && parseToken(job.token).epoch < tools.epoch;
  return job.state === 'committing' || job.parameters.dryRun || isRestored;
}

function merged(known: readonly Finding[], more: readonly Finding[]): Finding[] {
  const isKnown = (one: Finding) => known.some((other) => other.code === one.code && other.message === one.message);
  return [...known, ...more.filter((finding) => !isKnown(finding))];
}
