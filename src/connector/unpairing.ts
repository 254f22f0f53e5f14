/** Unpairing: the appliance forgets who it was. Refused while something that it made may still exist. */
import type { Clock } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import type { Files } from '../lib/files.ts';
import type { RandomSource } from '../lib/random.ts';
import { IpsError } from '../protocol/errors.ts';
import { JobLedger } from './ledger.ts';
import { type PairingRecord, requirePairing } from './pairing-record.ts';
import { openJournal, type StatePaths } from './state-folder.ts';

/**
 * The pairing record goes last: after a crash it can be done again, and no key that should be forgotten gets into the
 * next pairing.
 * @returns what it was
 * @throws IpsError NOT_PAIRED; IN_USE naming the jobs whose ledger is not empty
 */
export async function unpair(
  paths: StatePaths,
  files: Files,
  tools: { doors: Doors; clock: Clock; random: RandomSource },
): Promise<PairingRecord> {
  const record = await requirePairing(paths);
  const unfinished = await jobsWithLeftovers(paths, record, tools);
  if (unfinished.length > 0)
    throw new IpsError('IN_USE', `Jobs that are not cleaned up: ${unfinished.join(', ')}.`, {
      hint: 'Start the connector and let it finish; "ips-connector status" shows how far it is.',
    });
  const { signKey, sealKey, engineSecret, journal, generation, health, pairing } = paths;
  const all = [
    signKey,
    sealKey,
    engineSecret,
    journal,
    `${journal}-wal`,
    `${journal}-shm`,
    generation,
    health,
    pairing,
  ];
  for (const path of all) await files.remove(path);
  return record;
}

async function jobsWithLeftovers(
  paths: StatePaths,
  { connectorId }: PairingRecord,
  tools: { doors: Doors; clock: Clock; random: RandomSource },
): Promise<string[]> {
  const journal = await openJournal(paths, tools);
  try {
    return journal
      .jobs()
      .filter(({ jobId, token }) => {
        const ledger = new JobLedger({ ...tools, journal }, { jobId, token, connectorId });
        return ledger.open().length > 0;
      })
      .map(({ jobId }) => jobId);
  } finally {
    journal.close();
  }
}
