/** What the command's exit code says. Documented in docs/cli.md and in `ips --help`. */
import type { IpsError } from '../protocol/errors.ts';
import type { JobState } from '../protocol/job.ts';

export const EXIT = {
  ok: 0,
  /** The request was refused, or the job failed. */
  failed: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  /** The cloud service cannot be reached or is not trusted. */
  unreachable: 3,
  /** The job was cancelled. */
  cancelled: 4,
  /** Ctrl-C; a job that was being waited for goes on. */
  interrupted: 130,
} as const;

export function exitCodeOfError(error: IpsError): number {
  switch (error.code) {
    case 'USAGE':
    case 'NOT_LOGGED_IN':
    case 'CONFIG_INVALID':
    case 'FILE_NOT_PRIVATE':
      return EXIT.usage;
    case 'INTERRUPTED':
      return EXIT.interrupted;
    default:
      return error.code.startsWith('CLOUD_') ? EXIT.unreachable : EXIT.failed;
  }
}

export function exitCodeOfJob(state: JobState): number {
  if (state === 'failed') return EXIT.failed;
  return state === 'cancelled' ? EXIT.cancelled : EXIT.ok;
}
