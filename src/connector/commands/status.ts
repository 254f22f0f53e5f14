/** `ips-connector status`: what this appliance is, whether its daemon runs, its link, and the jobs in its journal. */
import { isIpsError } from '../../protocol/errors.ts';
import { applianceFingerprint } from '../../protocol/fingerprint.ts';
import type { ConnectorConfig } from '../config.ts';
import { lockStateFolder } from '../daemon-lock.ts';
import { type LinkHealth, readHealth } from '../health.ts';
import { loadIdentity, publicKeys } from '../identity.ts';
import { requirePairing } from '../pairing-record.ts';
import { openJournal, statePaths } from '../state-folder.ts';
import { configOf, type Flags, systemTools } from './options.ts';

type Tools = ReturnType<typeof systemTools>;

export async function status(flags: Flags): Promise<void> {
  const config = configOf(flags);
  const tools = systemTools();
  const paths = statePaths(config.stateFolder);
  const pairing = await requirePairing(paths);
  const running = await isRunning(config, tools);
  const health = running ? await readHealth(paths) : undefined;
  const lines = [
    ['connector', `${pairing.connectorName} (${pairing.connectorId})`],
    ['location', pairing.resourceLocation],
    ['cloud', pairing.cloudUrl],
    ['fingerprint', applianceFingerprint(publicKeys(await loadIdentity(paths)).signKey)],
    [
      'daemon',
      running ? `running${health ? ` since ${health.startedAt}, version ${health.version}` : ''}` : 'not running',
    ],
    ...(health ? [['link', linkLine(health.link)]] : []),
    ...(await jobLines(config, tools)),
  ];
  for (const [name = '', value = ''] of lines) process.stdout.write(`${name.padEnd(13)}${value}\n`);
}

async function isRunning(config: ConnectorConfig, { clock }: Tools): Promise<boolean> {
  try {
    await (await lockStateFolder(config.stateFolder, clock, 0)).release();
    return false;
  } catch (error) {
    if (isIpsError(error) && error.code === 'IN_USE') return true;
    throw error;
  }
}

function linkLine(link: LinkHealth): string {
  switch (link.state) {
    case 'connecting':
      return 'connecting';
    case 'up':
      return `up since ${link.since}`;
    case 'down':
      return `down since ${link.since}: ${link.error.code}: ${link.error.message} ${link.error.hint} Next try at ${link.nextTryAt}.`;
  }
}

async function jobLines(config: ConnectorConfig, tools: Tools): Promise<string[][]> {
  const journal = await openJournal(statePaths(config.stateFolder), tools);
  try {
    const jobs = journal.jobs();
    if (jobs.length === 0) return [['jobs', 'none']];
    return jobs.map((job, index) => [index === 0 ? 'jobs' : '', `${job.jobId}  ${job.token}  ${job.phase}`]);
  } finally {
    journal.close();
  }
}
