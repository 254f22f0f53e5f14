/**
 * QEMU's programs read what strangers made: images, and what a guest does. They run within limits of the kernel, with an
 * environment of their own, and those that come to an end do so in bounded time.
 */
import { type Clock, deadlineSignal } from '../../src/lib/clock.ts';
import { isErrno } from '../../src/lib/files.ts';
import type { Processes, Ran } from '../../src/lib/processes.ts';
import { IpsError } from '../../src/protocol/errors.ts';

/**
 * The program and arguments that run `program` within `limits` (options of prlimit) and without our environment. Beyond
 * a file size limit a write fails; the signal that would come with it is ignored. The process keeps its id throughout.
 */
export function contained(
  limits: readonly string[],
  program: string,
  args: readonly string[],
): [program: string, args: string[]] {
  const environment = ['env', '-i', '--ignore-signal=XFSZ', `PATH=${process.env.PATH ?? ''}`, 'LC_ALL=C'];
  return ['prlimit', [...limits, '--core=0', ...environment, program, ...args]];
}

/** Exit codes of `env` when the program cannot be run or is not there (coreutils manual, "env invocation"). */
const CANNOT_RUN: readonly (number | undefined)[] = [126, 127];

/** Ends a program together with its parent. Nobody else would: what becomes of it is known to that parent alone. */
const WITH_PARENT = ['--pdeathsig', 'KILL'];

/**
 * Runs a contained program to its end, which comes at the latest with the end of this process.
 * @throws what `late` gives when that takes more than `wallMs`; IpsError ENGINE_START_FAILED when it cannot be run
 */
export async function runContained(
  tools: { processes: Processes; clock: Clock },
  run: {
    program: string;
    args: readonly string[];
    limits: readonly string[];
    point: string;
    wallMs: number;
    late: () => Error;
    eachLine?: ((line: string) => void) | undefined;
  },
  signal: AbortSignal,
): Promise<Ran> {
  const bound = deadlineSignal(tools.clock, run.wallMs, run.late, signal);
  const args = [...WITH_PARENT, ...contained(run.limits, run.program, run.args).flat()];
  const options = { door: 'platform', point: run.point, signal: bound.signal, eachLine: run.eachLine } as const;
  try {
    const ran = await tools.processes.run('setpriv', args, options);
    if (CANNOT_RUN.includes(ran.code)) throw unusable(`${run.program} cannot be run.`);
    return ran;
  } catch (error) {
    throw isErrno(error, 'ENOENT') ? unusable(`${run.program} cannot be run.`) : error;
  } finally {
    bound.release();
  }
}

/** A program of QEMU that is not there or does not work. */
export function unusable(message: string): IpsError {
  return new IpsError('ENGINE_START_FAILED', message, {
    hint: 'Install QEMU on the connector: apt-get install qemu-system-x86 qemu-utils.',
  });
}
