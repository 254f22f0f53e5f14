/**
 * Who is calling. The appliance signs the cloud's nonce with its id, its process instance and the generation that it
 * has on disk. Each welcome issues the next generation, the same one again until it is acknowledged; it and the last
 * acknowledged one are accepted, every other older one comes from a clone or a restored snapshot. A newer one than was ever issued means that this
 * cloud was restored from a backup, and is followed.
 */
import { verify } from 'node:crypto';
import type { z } from 'zod';
import { importPublicKey } from '../../lib/seal.ts';
import { IpsError } from '../../protocol/errors.ts';
import { proofText, type toCloudSchema } from '../../protocol/link.ts';
import { type JobTools, now } from '../jobs/tools.ts';
import type { ConnectorRecord } from '../store/connectors.ts';

export type Hello = Extract<z.output<typeof toCloudSchema>, { type: 'hello' }>;

/** @throws IpsError CONNECTOR_REFUSED when the signature is not by the paired key over this very call */
export function checkProof(connector: ConnectorRecord, hello: Hello, nonce: string, signature: string): void {
  const text = proofText(nonce, connector.id, hello.instanceId, hello.generation);
  const key = importPublicKey('Ed25519', connector.signKey);
  if (!verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url')))
    throw new IpsError('CONNECTOR_REFUSED');
}

/**
 * Stores what the caller says of itself and issues its next generation.
 * @throws IpsError CONNECTOR_UNKNOWN, CONNECTOR_CLONED
 */
export async function recognise(
  tools: JobTools,
  hello: Hello,
): Promise<{ connector: ConnectorRecord; nextGeneration: number }> {
  const at = now(tools);
  const known = await tools.store.change('connector.welcome', async (tx) => {
    const connector = await tx.connectors.byId(hello.connectorId);
    if (!connector) throw new IpsError('CONNECTOR_UNKNOWN');
    const { generation, pendingGeneration } = connector;
    const newest = Math.max(generation, pendingGeneration ?? 0);
    const presented = hello.generation;
    const isExpected = presented === generation || presented === pendingGeneration || presented > newest;
    if (!isExpected && !connector.trustNext) {
      if (connector.standing === 'trusted') {
        await tx.connectors.setStanding(connector.id, 'cloned', false);
        const detail = { presented, expected: newest };
        const subject = connector.name;
        const { customerId } = connector;
        await tx.audit.add({ customerId, actor: 'cloud', action: 'connector.cloned', subject, detail }, at);
      }
      return undefined;
    }
    // An appliance that redials may still be writing what the last welcome gave it: another number would then be a third.
    const isAsked = presented === generation && pendingGeneration !== undefined;
    const nextGeneration = isAsked ? pendingGeneration : Math.max(newest, presented) + 1;
    const { version, platforms, slots } = hello;
    const said = { generation: presented, pendingGeneration: nextGeneration, version, platforms, slots, at };
    await tx.connectors.welcomed(connector.id, said);
    return { connector, nextGeneration };
  });
  if (!known) throw new IpsError('CONNECTOR_CLONED');
  return known;
}
