/** `ips-connector status`: what this appliance is, whether its daemon runs, its link, and the jobs in its journal. */
import { isIpsError } from '../../protocol/errors.ts';
import { applianceFingerprint } from '../../protocol/fingerprint.ts';
import type { ConnectorConfig } from '../config.ts';
import { lockStateFolder } from '../daemon-lock.ts';
import { type LinkHealth, readHealth } from '../health.ts';
import { loadIdentity, publicKeys } from '../identity.ts';
import { listJobs } from '../journal-list.ts';
import { requirePairing } from '../pairing-record.ts';
import { statePaths } from '../state-folder.ts';
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
    ...jobLines(paths.journal),
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

function jobLines(journalPath: string): string[][] {
  const jobs = listJobs(journalPath);
  if (jobs.length === 0) return [['jobs', 'none']];
  return jobs.map(({ jobId, token, phase }, index) => [index === 0 ? 'jobs' : '', `${jobId}  ${token}  ${phase}`]);
}
