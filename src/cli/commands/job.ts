/** `ips job …`. */
import { type Command, Option } from 'commander';
import { JOB_STATES, type JobState } from '../../protocol/job.ts';
import { type CommonOptions, type Context, connect, print } from '../context.ts';
import { followToEnd } from '../follow.ts';
import { historyText, jobText, logText } from '../job-text.ts';
import { parseCount, showTime } from '../quantities.ts';
import { table } from '../table.ts';

export function addJobCommands(program: Command, context: Context): void {
  const job = program.command('job').description('jobs: see, follow and cancel them');

  job
    .command('show <id>')
    .description('one job')
    .action(async (id: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      print(context, options, await connect(context, options).job(id), jobText);
    });

  job
    .command('list')
    .description('list jobs, newest first')
    .addOption(new Option('--state <state>', 'only jobs in this state').choices(JOB_STATES))
    .option('--limit <n>', 'how many, 500 at most', parseCount, 50)
    .option('--before <id>', 'only jobs older than this one')
    .addHelpText('after', '\nExamples:\n  ips job list --state inProgress\n  ips job list --before job-3k9m… --json')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { state?: JobState; limit: number; before?: string }>();
      print(context, options, await connect(context, options).jobs(options), (jobs) =>
        table(
          ['id', 'type', 'state', 'progress', 'target', 'created'],
          jobs.map((each) => [
            each.id,
            each.parameters.dryRun ? `${each.parameters.type}, dry run` : each.parameters.type,
            each.error ? `${each.state} (${each.error.code})` : each.state,
            `${each.overallProgressPercent} %`,
            `${each.parameters.target.name}.${each.parameters.target.format}`,
            showTime(each.createdAt),
          ]),
          'No jobs.',
        ),
      );
    });

  job
    .command('wait <id>')
    .description('follow a job to its end; the exit code says how it ended')
    .addHelpText('after', '\nExample:\n  ips job wait job-3k9m… && echo done')
    .action(async (id: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      await followToEnd(context, options, connect(context, options), id);
    });

  job
    .command('cancel <id>')
    .description('cancel a job; what it made is removed')
    .action(async (id: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const cancelled = await connect(context, options).cancelJob(id);
      print(context, options, cancelled, () =>
        cancelled.state === 'cancelled'
          ? `${id} is cancelled.`
          : `${id} is being cancelled. Follow it: ips job wait ${id}`,
      );
    });

  job
    .command('log <id>')
    .description('the log of a job')
    .option('--events', 'the whole history: steps, findings, resources')
    .action(async (id: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { events?: boolean }>();
      const client = connect(context, options);
      if (options.events) print(context, options, await client.jobHistory(id, context.interrupted), historyText);
      else print(context, options, await client.jobLog(id), logText);
    });
}
