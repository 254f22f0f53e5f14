/**
 * Handing a job's credentials to a connector: only to the one that may have them now, only for allowed targets, sealed
 * to its key and bound to this job, token and connector. The audit row is durable before the answer leaves.
 */
import { importPublicKey, seal } from '../../lib/seal.ts';
import { IpsError } from '../../protocol/errors.ts';
import { credentialUses, type JobParameters } from '../../protocol/job.ts';
import type { CredentialEnvelope, CredentialPurpose } from '../../protocol/link.ts';
import { credentialPlace } from '../../protocol/sealed.ts';
import { isTargetAllowed } from '../../protocol/targets.ts';
import type { Token } from '../../protocol/token.ts';
import { type JobTools, now } from '../jobs/tools.ts';
import type { ConnectorRecord } from '../store/connectors.ts';
import type { CredentialRecord } from '../store/credentials.ts';
import type { JobRecord } from '../store/jobs.ts';
import type { Nouns } from '../store/store.ts';
import type { Lockbox } from './lockbox.ts';

export interface CredentialsRequest {
  connectorId: string;
  jobId: string;
  token: Token;
  purpose: CredentialPurpose;
}

/**
 * The sealed credentials of a job.
 * @throws IpsError CONNECTOR_CLONED, LEASE_LOST, CREDENTIAL_NOT_FOUND, CREDENTIAL_TARGET_REFUSED, CREDENTIAL_UNREADABLE
 */
export async function deliverCredentials(
  tools: JobTools & { lockbox: Lockbox },
  request: CredentialsRequest,
): Promise<CredentialEnvelope[]> {
  return await tools.store.change('credentials.deliver', async (tx) => {
    const { jobId, token, purpose } = request;
    const connector = await tx.connectors.byId(request.connectorId);
    if (!connector) throw new IpsError('CONNECTOR_UNKNOWN');
    if (connector.standing === 'cloned') throw new IpsError('CONNECTOR_CLONED');
    const job = await tx.jobs.byId(jobId);
    if (!job || job.locationId !== connector.locationId || !(await mayHave(tx, job, connector, request)))
      throw new IpsError('LEASE_LOST');
    const credentials = await findAllowed(tx, job.customerId, job.parameters);
    await tx.audit.add(
      {
        customerId: job.customerId,
        actor: `connector:${connector.name}`,
        action: 'credential.deliver',
        subject: jobId,
        detail: { token, purpose, credentials: credentials.map(({ name, version }) => `${name}@${version}`) },
      },
      now(tools),
    );
    const recipient = importPublicKey('X25519', connector.sealKey);
    return credentials.map((credential) => {
      const { customerId, name, version, allowedTargets } = credential;
      const place = credentialPlace({ customerId, jobId, token, connectorId: connector.id, name, version });
      const sealed = seal(recipient, tools.lockbox.unlock(credential.locked, credential), place);
      return { name, version, allowedTargets, sealed };
    });
  });
}

/**
 * The credentials that these parameters use, each checked against its allowed targets.
 * @throws IpsError CREDENTIAL_NOT_FOUND, CREDENTIAL_TARGET_REFUSED
 */
export async function findAllowed(
  nouns: Pick<Nouns, 'credentials'>,
  customerId: string,
  parameters: JobParameters,
): Promise<CredentialRecord[]> {
  const found = new Map<string, CredentialRecord>();
  for (const { credential: name, target } of credentialUses(parameters)) {
    const credential = await nouns.credentials.find(customerId, name);
    if (!credential) throw new IpsError('CREDENTIAL_NOT_FOUND', `It is called "${name}".`);
    if (!isTargetAllowed(credential.allowedTargets, target))
      throw new IpsError('CREDENTIAL_TARGET_REFUSED', `"${name}" is not allowed for ${target}.`);
    found.set(name, credential);
  }
  return [...found.values()];
}

/**
 * To run: the holder, nobody else. To tear down: whoever made what the ledger still holds, the holder, or, when the
 * maker was declared lost (or removed, which takes that) and does not hold the job, any connector of the location.
 */
async function mayHave(
  tx: Nouns,
  job: JobRecord,
  connector: ConnectorRecord,
  { token, purpose }: CredentialsRequest,
): Promise<boolean> {
  if (connector.standing === 'lost') return false;
  const isHeld = (job.state === 'inProgress' || job.state === 'committing') && job.token === token;
  if (isHeld && job.connectorId === connector.id) return true;
  if (purpose === 'run') return false;
  const makers = (await tx.ledger.open(job.id)).filter((row) => row.token === token).map((row) => row.connectorId);
  if (makers.includes(connector.id)) return true;
  if (isHeld) return false;
  for (const maker of makers) {
    const standing = (await tx.connectors.byId(maker))?.standing;
    if (standing === undefined || standing === 'lost') return true;
  }
  return false;
}
