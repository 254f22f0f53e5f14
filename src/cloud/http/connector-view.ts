/** A connector as the API shows it: what the store knows, and whether it is connected now. */
import type { z } from 'zod';
import { applianceFingerprint } from '../../protocol/fingerprint.ts';
import type { connectorViewSchema } from '../../protocol/rest.ts';
import type { ConnectorRecord } from '../store/connectors.ts';
import type { ApiTools } from './api-tools.ts';

type ConnectorView = z.output<typeof connectorViewSchema>;

export async function viewConnector(
  { store, registry }: Pick<ApiTools, 'store' | 'registry'>,
  connector: ConnectorRecord,
): Promise<ConnectorView> {
  const { id, name, standing, version, platforms, slots, signKey, pairedAt, lastSeenAt } = connector;
  const location = await store.locations.find(connector.customerId, connector.locationId);
  const reachable = registry.get(id) ? 'connected' : 'disconnected';
  return {
    id,
    name,
    resourceLocation: location?.name ?? connector.locationId,
    state: standing === 'trusted' ? reachable : standing,
    version,
    platforms,
    slots,
    runningJobs: (await store.jobs.heldBy(id)).length,
    fingerprint: applianceFingerprint(signKey),
    pairedAt,
    ...(lastSeenAt === null ? {} : { lastSeenAt }),
  };
}
