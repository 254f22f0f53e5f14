/**
 * Pairing makes an appliance a connector: with a code that an admin gave, or by showing a code that an admin
 * confirms. The pairing record is written last and at once, so that a crash leaves the appliance paired or not paired.
 * Nothing is sent by an appliance that is paired already, nor to a cloud that is not trusted.
 */

import { CloudHttp } from '../client/http.ts';
import { backoffMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import { Files } from '../lib/files.ts';
import type { RandomSource } from '../lib/random.ts';
import { VERSION } from '../lib/version.ts';
import { IpsError, isIpsError } from '../protocol/errors.ts';
import { applianceFingerprint } from '../protocol/fingerprint.ts';
import {
  type Appliance,
  claimedPairingSchema,
  claimStateSchema,
  type Paired,
  pairedSchema,
  pairingCodeTextSchema,
  pairingProofText,
} from '../protocol/rest.ts';
import { type Identity, loadOrCreateIdentity, publicKeys, signText } from './identity.ts';
import { type CloudTrust, type PairingRecord, readPairing, writeGeneration, writePairing } from './pairing-record.ts';
import { requirePrivate, type StatePaths } from './state-folder.ts';

/** How often a code is sent again: an answer may be lost, and the cloud gives it once more to the same keys. */
const REDEEM_REPEATS = 3;
const REDEEM_RETRY = { firstMs: 500, maxMs: 2_000 };
/** How often an appliance that shows a code asks whether it was confirmed, in ms. */
const POLL_MS = 3_000;
/** How long a cloud that went away meanwhile is asked again, in ms: the code has expired then. */
const POLL_LIMIT_MS = 20 * 60_000;
const POLL_RETRY = { firstMs: POLL_MS, maxMs: 15_000 };

export interface PairingTools {
  doors: Doors;
  clock: Clock;
  random: RandomSource;
}

export interface PairingRequest {
  cloudUrl: URL;
  trust: CloudTrust;
  /** The name that operators will see. */
  name: string;
  way:
    | { kind: 'code'; code: string }
    /** `show` is given what an admin must see. */
    | { kind: 'claim'; show: (claim: { code: string; fingerprint: string; expiresAt: string }) => void };
}

/**
 * @returns what the appliance is now
 * @throws IpsError ALREADY_PAIRED, PAIRING_…, CLOUD_…, FILE_NOT_PRIVATE, WRONG_USER; the signal's reason
 */
export async function pair(
  paths: StatePaths,
  request: PairingRequest,
  tools: PairingTools,
  signal: AbortSignal,
): Promise<PairingRecord> {
  const known = await readPairing(paths);
  if (known) throw new IpsError('ALREADY_PAIRED', `It is connector "${known.connectorName}" of ${known.cloudUrl}.`);
  const files = new Files(tools.doors);
  await files.makePrivateFolder(paths.folder);
  await requirePrivate(paths);
  const identity = await loadOrCreateIdentity(paths, files, tools.random);
  const appliance: Appliance = { name: request.name, ...publicKeys(identity), version: VERSION };
  const http = new CloudHttp({ url: request.cloudUrl, trust: request.trust }, tools);
  const paired =
    request.way.kind === 'code'
      ? await redeem(http, appliance, identity, request.way.code, tools, signal)
      : await claim(http, appliance, identity, request.way.show, tools, signal);
  const record: PairingRecord = {
    cloudUrl: request.cloudUrl.href,
    trust: request.trust,
    connectorId: paired.connectorId,
    connectorName: paired.connectorName,
    customerId: paired.customerId,
    resourceLocation: paired.resourceLocation,
    pairedAt: tools.clock.wall().toISOString(),
  };
  await writeGeneration(paths, files, paired.generation);
  await writePairing(paths, files, record);
  return record;
}

async function redeem(
  http: CloudHttp,
  appliance: Appliance,
  identity: Identity,
  code: string,
  tools: PairingTools,
  signal: AbortSignal,
): Promise<Paired> {
  const normal = pairingCodeTextSchema.safeParse(code);
  if (!normal.success) throw new IpsError('PAIRING_CODE_UNKNOWN', 'A code looks like XXXX-XXXX.');
  const signature = signText(identity, pairingProofText(appliance, normal.data));
  const body = { ...appliance, code: normal.data, signature };
  for (let repeats = 0; ; repeats += 1) {
    try {
      return await http.call({ method: 'POST', path: '/v1/pairing/redeem', body, answer: pairedSchema, signal });
    } catch (error) {
      if (!isIpsError(error) || error.code !== 'CLOUD_UNREACHABLE' || repeats >= REDEEM_REPEATS) throw error;
    }
    await tools.clock.sleep(backoffMs(REDEEM_RETRY, repeats, tools.random), signal);
  }
}

async function claim(
  http: CloudHttp,
  appliance: Appliance,
  identity: Identity,
  show: Extract<PairingRequest['way'], { kind: 'claim' }>['show'],
  tools: PairingTools,
  signal: AbortSignal,
): Promise<Paired> {
  const signature = signText(identity, pairingProofText(appliance, ''));
  const claimed = await http.call({
    method: 'POST',
    path: '/v1/pairing/claims',
    body: { ...appliance, signature },
    answer: claimedPairingSchema,
    signal,
  });
  const fingerprint = applianceFingerprint(appliance.signKey);
  show({ code: claimed.code, fingerprint, expiresAt: claimed.expiresAt });
  return await awaitConfirmation(http, claimed.claimId, tools, signal);
}

async function awaitConfirmation(
  http: CloudHttp,
  claimId: string,
  tools: PairingTools,
  signal: AbortSignal,
): Promise<Paired> {
  const started = tools.clock.monotonic();
  const path = `/v1/pairing/claims/${encodeURIComponent(claimId)}`;
  for (let failures = 0; ; ) {
    await tools.clock.sleep(failures === 0 ? POLL_MS : backoffMs(POLL_RETRY, failures, tools.random), signal);
    try {
      const state = await http.call({ method: 'GET', path, answer: claimStateSchema, signal });
      if (state.state === 'paired') return state.paired;
      failures = 0;
    } catch (error) {
      const isPassing = isIpsError(error) && (error.code === 'CLOUD_UNREACHABLE' || error.code === 'RATE_LIMITED');
      if (!isPassing || tools.clock.monotonic() - started > POLL_LIMIT_MS) throw error;
      failures += 1;
    }
  }
}
