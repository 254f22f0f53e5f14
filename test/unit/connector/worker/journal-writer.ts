/** A process that writes events into a journal: PATH JOB TOKEN NAME COUNT. */
import { Journal } from '../../../../src/connector/journal.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { Doors } from '../../../../src/lib/doors.ts';

const [path = '', jobId = '', token = '', name = '', count = '0'] = process.argv.slice(2);
const journal = new Journal(path, new Doors(), systemClock());
for (let i = 0; i < Number(count); i += 1)
  journal.tell(jobId, token, { kind: 'log', level: 'info', message: `${name} ${i}` });
journal.close();
