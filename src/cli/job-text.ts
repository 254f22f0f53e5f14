/** A job as text for a person: what it is, its log, its history. */
import { isTerminal } from '../protocol/job.ts';
import type { JobEventView, JobView, LogLine } from '../protocol/rest.ts';
import { indented, oneLine, plainError, plainJson } from './plain-text.ts';
import { showBytes, showDuration, showRate, showTime } from './quantities.ts';
import { facts } from './table.ts';

export function jobText(job: JobView): string {
  const { source, target } = job.parameters;
  const result = job.result?.export;
  const lines = [
    facts([
      ['job', job.id],
      ['state', job.cancelRequested && job.state === 'inProgress' ? 'inProgress, being cancelled' : job.state],
      ['step', job.state === 'inProgress' ? `${job.step}, ${job.overallProgressPercent} %` : undefined],
      ['waiting for', job.waitingFor],
      ['rate', job.state === 'inProgress' && job.progress?.rate ? showRate(job.progress.rate) : undefined],
      ['connector', job.connector],
      ['dry run', job.parameters.dryRun ? 'checks only: nothing is created' : undefined],
      ['source', source.path],
      ['target', `${target.location}/${target.name}.${target.format}`],
      ['note', job.note],
      ['created', `${showTime(job.createdAt)} by ${job.createdBy}`],
      ['took', took(job)],
      ['virtual size', result && showBytes(result.virtualSize)],
      ['read', result && `${showBytes(result.bytesRead)}, skipped ${showBytes(result.bytesSkipped)}`],
      ['written', result && `${showBytes(result.bytesWritten)}, file ${showBytes(result.fileSize)}`],
      ...(result?.hashes ?? []).map((hash) => [`hash (${hash.scope})`, `${hash.algorithm} ${hash.value}`] as const),
    ]),
    ...job.findings.map(({ severity, code, message, remedy }) =>
      withRemedy(`${severity} ${oneLine(code)}: ${indented(message)}`, remedy),
    ),
    ...(job.error ? [plainError(job.error)] : []),
    ...leftBehind(job).map(({ kind, name, removeWith }) =>
      withRemedy(oneLine(`left behind: ${kind} ${name}`), removeWith),
    ),
  ];
  return lines.join('\n');
}

export function logText(lines: readonly LogLine[]): string {
  return lines.map(({ at, level, message }) => `${showTime(at)}  ${level.padEnd(5)}  ${indented(message)}`).join('\n');
}

export function historyText(events: readonly JobEventView[]): string {
  return events
    .map(({ id, at, connector = '-', body: { kind, ...body } }) =>
      [String(id).padStart(4), showTime(at), oneLine(connector), kind.padEnd(8), plainJson(body)].join('  '),
    )
    .join('\n');
}

/**
 * What the ledger still holds: rows of every connector that had the job, without what was removed since. A job whose
 * connector is still at work has rows too, which it will remove.
 */
function leftBehind(job: JobView): JobView['openLedger'] {
  return isTerminal(job.state) ? job.openLedger : [];
}

function withRemedy(text: string, remedy: string | undefined): string {
  return remedy ? `${text}\n  → ${oneLine(remedy)}` : text;
}

function took(job: JobView): string | undefined {
  if (!job.startedAt || !job.endedAt) return undefined;
  return showDuration((Date.parse(job.endedAt) - Date.parse(job.startedAt)) / 1000);
}
