/**
 * An export, step by step. Each step is idempotent over journal and ledger: a worker that starts anew goes through the
 * same list, and a step that finds its work done does nothing. So a first run and a resumed one are one code path.
 */
import type { JobResult, Step } from '../../protocol/job.ts';
import type { JournalJob } from '../journal-job.ts';
import type { Attempt } from './attempt.ts';
import { commit } from './commit.ts';
import { followToVerified, submitTask } from './copy.ts';
import { DeadlineKeeper } from './deadline.ts';
import { runPreflight } from './preflight.ts';
import { exportResult } from './result.ts';
import { connectEngine, startEngine } from './start.ts';

interface WorkStep {
  /** What is told when it begins. */
  step: Step;
  /** Whether an earlier process got past it, so that it must not run again. */
  past: (job: JournalJob) => boolean;
  run: (attempt: Attempt, signal: AbortSignal) => Promise<void>;
}

/** The checks, which create nothing. */
const CHECKS: readonly WorkStep[] = [
  {
    step: 'credentials',
    past: (job) => job.phase === 'committing',
    run: async (attempt, signal) => {
      await attempt.desk.credential('run', signal);
    },
  },
  // Once the engine was started the source is in use: by us.
  { step: 'preflight', past: (job) => job.steps.startEngine !== undefined, run: runPreflight },
];

/** The work up to "verified". Once the commit was granted nothing of it counts any more. */
const WORK: readonly WorkStep[] = [
  { step: 'startEngine', past: (job) => job.phase === 'committing', run: startEngine },
  { step: 'connectEngine', past: (job) => job.phase === 'committing', run: connectEngine },
  {
    step: 'copy',
    past: (job) => job.engine?.verified !== undefined,
    run: async (attempt, signal) => {
      await submitTask(attempt, signal);
      await followToVerified(attempt, signal);
    },
  },
];

/**
 * Brings the job to its success.
 * @throws IpsError with the reason why not; the signal's reason
 */
export async function runExport(attempt: Attempt, signal: AbortSignal): Promise<JobResult> {
  await runSteps(CHECKS, attempt, signal);
  if (attempt.record.job.parameters.dryRun) return { leftovers: [] };
  const keeper = new DeadlineKeeper(attempt);
  try {
    await runSteps(WORK, attempt, signal);
    attempt.record.enterStep('commit');
    await commit(attempt, signal);
  } finally {
    keeper.stop();
  }
  return { export: exportResult(attempt), leftovers: [] };
}

async function runSteps(steps: readonly WorkStep[], attempt: Attempt, signal: AbortSignal): Promise<void> {
  for (const { step, past, run } of steps) {
    if (past(attempt.record.job)) continue;
    signal.throwIfAborted();
    attempt.record.enterStep(step);
    await run(attempt, signal);
    signal.throwIfAborted();
  }
}
