/** Runs a contained program that does not end by itself. Argument: where that program writes its process id. */
import { runContained } from '../../../providers/qemu/contained.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { Processes } from '../../../src/lib/processes.ts';

await runContained(
  { processes: new Processes(new Doors()), clock: systemClock() },
  {
    program: 'sh',
    args: ['-c', 'echo $$ >"$0" && exec sleep 600', process.argv[2] ?? ''],
    limits: [],
    point: 'test.sleep',
    wallMs: 600_000,
    late: () => new Error('the time is over'),
  },
  new AbortController().signal,
);
