/** The result of a job as the journal knows it. */
import type { Ledger } from '../../../providers/contract.ts';
import { elapsedSince, hostUptime, type Uptime } from '../../lib/uptime.ts';
import { type ExportResult, type JobResult, type Leftover, STEPS } from '../../protocol/job.ts';
import type { JournalJob } from '../journal-job.ts';
import type { Attempt } from './attempt.ts';

/** @throws Error when the engine never told what it verified */
export function exportResult(attempt: Attempt): ExportResult {
  const job = attempt.record.job;
  const { engine, parameters } = job;
  if (!engine?.verified) throw new Error('there is no result before "verified"');
  return {
    file: attempt.fileName,
    location: parameters.target.location,
    format: parameters.target.format,
    ...engine.verified,
    engineVersion: engine.version,
    durations: durations(job),
  };
}

/** Milliseconds by step, up to now; a step that a reboot of the host fell into has none. */
function durations(job: JournalJob): Record<string, number> {
  const entered = STEPS.flatMap((step) => {
    const at = job.steps[step];
    return at ? [{ step, at }] : [];
  });
  const now = hostUptime();
  const known: Record<string, number> = {};
  for (const [index, { step, at }] of entered.entries()) {
    const ms = span(at, entered[index + 1]?.at ?? now);
    if (ms !== undefined) known[step] = ms;
  }
  return known;
}

function span(from: Uptime, to: Uptime): number | undefined {
  return from.bootId === to.bootId ? Math.max(0, to.ms - from.ms) : undefined;
}

/** The result as it is told at the end: with what is left, and how long the teardown took. */
export function finalResult(result: JobResult, job: JournalJob, ledger: Ledger): JobResult {
  const leftovers: Leftover[] = ledger.open().map(({ kind, name, platformId, removeWith }) => ({
    kind,
    name,
    ...(platformId === undefined ? {} : { platformId }),
    ...(removeWith === undefined ? {} : { removeWith }),
  }));
  const cleanup = job.steps.cleanup && elapsedSince(job.steps.cleanup);
  if (!result.export || cleanup === undefined) return { ...result, leftovers };
  return { export: { ...result.export, durations: { ...result.export.durations, cleanup } }, leftovers };
}
