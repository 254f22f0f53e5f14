/** `ips-connector pair` and `ips-connector unpair`. */
import { hostname } from 'node:os';
import { text } from 'node:stream/consumers';
import { parseCloudUrl } from '../../client/cloud-url.ts';
import { trustOf } from '../../client/trust.ts';
import { Files } from '../../lib/files.ts';
import { IpsError } from '../../protocol/errors.ts';
import { nameSchema } from '../../protocol/rest.ts';
import { lockStateFolder } from '../daemon-lock.ts';
import { type PairingRequest, pair as pairAppliance } from '../pairing.ts';
import { statePaths } from '../state-folder.ts';
import { unpair as unpairAppliance } from '../unpairing.ts';
import { configOf, type Flags, Stopped, stopSignal, systemTools } from './options.ts';

export interface PairFlags extends Flags {
  cloud: string;
  code?: string;
  pin?: string[];
  ca?: string;
  name?: string;
}

export async function pair(flags: PairFlags): Promise<void> {
  const config = configOf(flags);
  const tools = systemTools();
  const request: PairingRequest = {
    cloudUrl: parseCloudUrl(flags.cloud),
    trust: trustOf(flags),
    name: nameOf(flags.name),
    way: await wayOf(flags.code),
  };
  const lock = await lockStateFolder(config.stateFolder, tools.clock, 0);
  try {
    const record = await pairAppliance(statePaths(config.stateFolder), request, tools, stopSignal());
    say(`Paired: this appliance is connector "${record.connectorName}" of location "${record.resourceLocation}".`);
    say('Start it with "systemctl enable --now ips-connector" or "ips-connector run".');
  } catch (error) {
    if (error instanceof Stopped) throw new IpsError('NOT_PAIRED', 'The pairing was interrupted.');
    throw error;
  } finally {
    await lock.release();
  }
}

export async function unpair(flags: Flags): Promise<void> {
  const config = configOf(flags);
  const tools = systemTools();
  const lock = await lockStateFolder(config.stateFolder, tools.clock, 0);
  try {
    const record = await unpairAppliance(statePaths(config.stateFolder), new Files(tools.doors), tools);
    say(`Unpaired from ${record.cloudUrl}. Remove connector "${record.connectorName}" there too.`);
  } finally {
    await lock.release();
  }
}

function nameOf(wanted: string | undefined): string {
  if (wanted === undefined) {
    const cleaned = hostname()
      .replace(/[^A-Za-z0-9._-]/g, '-')
      .slice(0, 63)
      .replace(/^[._-]+|[._-]+$/g, '');
    return cleaned === '' ? 'connector' : cleaned;
  }
  const name = nameSchema.safeParse(wanted);
  if (!name.success) throw new IpsError('USAGE', `"${wanted}" is no name: ${name.error.issues[0]?.message ?? ''}.`);
  return name.data;
}

/** A code lives for minutes and works once, so that it may come by flag; `-` reads it from standard input. */
async function wayOf(code: string | undefined): Promise<PairingRequest['way']> {
  if (code === '-') return { kind: 'code', code: (await text(process.stdin)).trim() };
  if (code !== undefined) return { kind: 'code', code };
  return {
    kind: 'claim',
    show: (claim) => {
      say(`Pairing code:  ${claim.code}`);
      say(`Fingerprint:   ${claim.fingerprint}`);
      say(`Confirm it with "ips connector confirm ${claim.code} --location NAME" when it shows the same fingerprint.`);
      say(`Waiting until ${claim.expiresAt} (Ctrl-C to give up) …`);
    },
  };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
