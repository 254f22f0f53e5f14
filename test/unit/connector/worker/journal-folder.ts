/** A journal in a folder of its own, for a test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal } from '../../../../src/connector/journal.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { Doors } from '../../../../src/lib/doors.ts';
import { hostUptime } from '../../../../src/lib/uptime.ts';
import { jobParametersSchema, limitsSchema } from '../../../../src/protocol/job.ts';

export const JOB = 'job-1';
export const TOKEN = '1.1';

export class JournalFolder {
  readonly path: string;
  readonly #folder: string;
  readonly #open: Journal[] = [];

  static async make(): Promise<JournalFolder> {
    return new JournalFolder(await mkdtemp(join(tmpdir(), 'ips-journal-')));
  }

  private constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, 'journal.db');
  }

  open(): Journal {
    const journal = new Journal(this.path, new Doors(), systemClock());
    this.#open.push(journal);
    return journal;
  }

  async remove(): Promise<void> {
    for (const journal of this.#open) journal.close();
    await rm(this.#folder, { recursive: true });
  }
}

export function accept(journal: Journal, jobId = JOB, token = TOKEN): void {
  const parameters = jobParametersSchema.parse({
    type: 'export',
    source: { platform: 'qemu', path: '/disk.raw' },
    target: { location: 'smb://files/disks', name: 'disk', credential: 'share' },
  });
  const job = { jobId, token, parameters, limits: limitsSchema.parse({}), acceptedAt: hostUptime() };
  journal.accept(job, 'connector-1');
}
