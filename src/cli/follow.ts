/** Following a job to its end: progress while it runs, its result or error at the end, an exit code that says which. */
import type { IpsClient } from '../client/client.ts';
import { IpsError } from '../protocol/errors.ts';
import { overallPercent } from '../protocol/job.ts';
import type { JobView } from '../protocol/rest.ts';
import { type CommonOptions, type Context, print } from './context.ts';
import { exitCodeOfJob } from './exit-codes.ts';
import { jobText } from './job-text.ts';
import { ProgressDisplay } from './progress.ts';
import { showDuration } from './quantities.ts';

/** Says that a job was accepted, for those who do not wait. */
export function announceJob(context: Context, options: CommonOptions, job: JobView): void {
  print(context, options, job, () => `Job ${job.id} is ${job.state}. Follow it: ips job wait ${job.id}`);
}

/**
 * Follows a job, prints how it ended, and sets the exit code. Ctrl-C stops following, never the job.
 * @throws IpsError also INTERRUPTED
 */
export async function followToEnd(
  context: Context,
  options: CommonOptions,
  client: IpsClient,
  id: string,
): Promise<void> {
  const display = new ProgressDisplay(context.err);
  display.note(`Job ${id}`);
  const onLost = (pauseMs: number) =>
    display.note(`The cloud service does not answer; the job goes on. Next try in ${showDuration(pauseMs / 1000)}.`);
  let job: JobView;
  try {
    for await (const news of client.follow(id, context.interrupted, onLost)) {
      if (news.kind === 'progress') {
        display.show(news.progress);
        continue;
      }
      const { body } = news.event;
      if (body.kind === 'step') display.show({ step: body.step, overallProgressPercent: overallPercent(body.step, 0) });
      if (body.kind === 'log' && body.level !== 'info') display.note(`${body.level}: ${body.message}`);
    }
    job = await client.job(id, context.interrupted);
  } catch (error) {
    if (!context.interrupted.aborted) throw error;
    const hint = `Follow it with "ips job wait ${id}", or cancel it with "ips job cancel ${id}".`;
    throw new IpsError('INTERRUPTED', `Job ${id} goes on.`, { cause: error, hint });
  } finally {
    display.end();
  }
  print(context, options, job, jobText);
  context.setExitCode(exitCodeOfJob(job.state));
}
