/**
 * What the cloud itself adds to a job's history. It takes a fresh token for each such event: the history stays one
 * sequence of (token, seq), and whatever was offered or accepted under an older token is worth nothing afterwards.
 */
import type { ErrorReport } from '../../protocol/errors.ts';
import type { EventBody } from '../../protocol/event.ts';
import type { JobState, Leftover, TerminalState } from '../../protocol/job.ts';
import { formatToken, parseToken, type Token } from '../../protocol/token.ts';
import type { JobRecord } from '../store/jobs.ts';
import type { LedgerRecord } from '../store/ledger-rows.ts';
import type { Nouns } from '../store/store.ts';

/** The token after `last` in this epoch. */
export function nextToken(last: Token | undefined, epoch: number): Token {
  return formatToken(epoch, last === undefined ? 1 : parseToken(last).counter + 1);
}

/** Appends an event of the cloud's own, inside a transaction. Any offer that is out is withdrawn by it. */
export async function tellAsCloud(tx: Nouns, jobId: string, epoch: number, at: string, body: EventBody): Promise<void> {
  const job = await tx.jobs.byId(jobId);
  const token = nextToken(job?.lastToken, epoch);
  if (!(await tx.transitions.takeToken(jobId, job?.lastToken, token)))
    throw new Error(`job ${jobId} was given away while the cloud took a token of it`);
  const id = await tx.transitions.nextEventId(jobId);
  await tx.events.add({ jobId, token, seq: 1, at, body, id, connectorId: undefined });
}

/**
 * Ends a job that no connector will end, inside a transaction. Its result lists what the ledger still holds.
 * @returns false when it is not in one of the states `from` any more
 */
export async function endByCloud(
  tx: Nouns,
  jobId: string,
  from: readonly JobState[],
  epoch: number,
  at: string,
  end: { state: TerminalState; error?: ErrorReport },
): Promise<boolean> {
  const leftovers = (await tx.ledger.open(jobId)).map(toLeftover);
  const ending = { ...end, result: { leftovers } };
  if (!(await tx.transitions.end(jobId, from, ending, at))) return false;
  await tellAsCloud(tx, jobId, epoch, at, { kind: 'ended', ...ending });
  return true;
}

/**
 * Nobody has the job any more: back to the queue, or to its end when a cancel waits. Inside a transaction.
 * @returns false when its holder has changed meanwhile
 */
export async function requeue(tx: Nouns, job: JobRecord, epoch: number, at: string): Promise<boolean> {
  if (job.token === undefined || !(await tx.transitions.requeue(job.id, job.token, at))) return false;
  const message = `Connector "${job.connectorName}" does not have the job any more; it waits for a connector again.`;
  await tellAsCloud(tx, job.id, epoch, at, { kind: 'log', level: 'warn', message });
  if (job.cancelRequested) await endByCloud(tx, job.id, ['queued'], epoch, at, { state: 'cancelled' });
  return true;
}

function toLeftover({ row }: LedgerRecord): Leftover {
  const { kind, name, platformId, removeWith } = row;
  return {
    kind,
    name,
    ...(platformId === undefined ? {} : { platformId }),
    ...(removeWith === undefined ? {} : { removeWith }),
  };
}
