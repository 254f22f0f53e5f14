/**
 * Who this appliance is paired with, and the generation that the cloud issued last. Both are replaced at once and
 * synced: after a crash there is the old or the new, never a part.
 */
import { z } from 'zod';
import { type Files, readIfThere } from '../lib/files.ts';
import { PIN_PATTERN } from '../lib/pinned-tls.ts';
import { IpsError } from '../protocol/errors.ts';
import type { StatePaths } from './state-folder.ts';

export const cloudTrustSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pins'), pins: z.array(z.string().regex(PIN_PATTERN)).min(1) }),
  /** `ca`: PEM; absent: the CAs that come with Node and the system. */
  z.object({ kind: z.literal('ca'), ca: z.string().optional() }),
]);
export type CloudTrust = z.infer<typeof cloudTrustSchema>;

const pairingRecordSchema = z.object({
  cloudUrl: z.url(),
  trust: cloudTrustSchema,
  connectorId: z.string(),
  connectorName: z.string(),
  customerId: z.string(),
  resourceLocation: z.string(),
  pairedAt: z.string(),
});
export type PairingRecord = z.infer<typeof pairingRecordSchema>;

/**
 * The pairing, or undefined when this appliance is not paired.
 * @throws IpsError CONFIG_INVALID when the file is damaged
 */
export async function readPairing(paths: StatePaths): Promise<PairingRecord | undefined> {
  const text = await readIfThere(paths.pairing);
  if (text === undefined) return undefined;
  const parsed = pairingRecordSchema.safeParse(parseJson(text));
  if (!parsed.success) throw new IpsError('CONFIG_INVALID', `${paths.pairing} is damaged.`);
  return parsed.data;
}

/** @throws IpsError NOT_PAIRED, CONFIG_INVALID */
export async function requirePairing(paths: StatePaths): Promise<PairingRecord> {
  const record = await readPairing(paths);
  if (!record) throw new IpsError('NOT_PAIRED');
  return record;
}

export async function writePairing(paths: StatePaths, files: Files, record: PairingRecord): Promise<void> {
  await files.writeDurably(paths.pairing, `${JSON.stringify(record, undefined, 2)}\n`);
}

/** The generation on the disk. A lost file counts as 0, which the cloud takes for a restored snapshot. */
export async function readGeneration(paths: StatePaths): Promise<number> {
  const text = (await readIfThere(paths.generation))?.trim() ?? '0';
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

export async function writeGeneration(paths: StatePaths, files: Files, generation: number): Promise<void> {
  await files.writeDurably(paths.generation, `${generation}\n`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
