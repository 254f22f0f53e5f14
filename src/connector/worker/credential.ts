/**
 * The credential for the share: sealed in the journal, open only here in memory. Before it is used, its allowed
 * targets are compared again with where the job wants to send it.
 */

import { unseal } from '../../lib/seal.ts';
import { Secret } from '../../lib/secret.ts';
import type { ShareAccess } from '../../protocol/engine.ts';
import { IpsError } from '../../protocol/errors.ts';
import { credentialUses, type JobParameters } from '../../protocol/job.ts';
import type { CredentialEnvelope, CredentialPurpose } from '../../protocol/link.ts';
import { type CredentialSecret, credentialPlace, credentialSecretSchema } from '../../protocol/sealed.ts';
import { parseSmbLocation } from '../../protocol/smb-location.ts';
import { isTargetAllowed } from '../../protocol/targets.ts';
import type { WorkerEnvironment } from './environment.ts';
import type { JobRecord } from './record.ts';
import type { Supervisor } from './supervisor.ts';

export class ShareCredential {
  readonly username: string;
  readonly domain: string | undefined;
  readonly #password: Secret;
  readonly #location: ReturnType<typeof parseSmbLocation>;

  constructor(secret: CredentialSecret, parameters: JobParameters) {
    this.username = secret.username;
    this.domain = secret.domain;
    this.#password = new Secret(secret.password);
    this.#location = parseSmbLocation(parameters.target.location);
  }

  /** The share with the plain secret, for the one call that needs it. @param seen how the caller calls the host */
  access(seen: (host: string) => string = (host) => host): ShareAccess {
    return {
      ...this.#location,
      host: seen(this.#location.host),
      username: this.username,
      password: this.#password.reveal(),
      ...(this.domain === undefined ? {} : { domain: this.domain }),
    };
  }
}

/**
 * Gets the credential from the journal, or else from the cloud; the envelopes are in the journal before they are used.
 * One that the file server refused is not used again: the cloud is asked once for a newer one.
 */
export class CredentialDesk {
  readonly #environment: WorkerEnvironment;
  readonly #record: JobRecord;
  readonly #supervisor: Supervisor;
  #open: ShareCredential | undefined;
  #refusals = 0;

  constructor(environment: WorkerEnvironment, record: JobRecord, supervisor: Supervisor) {
    this.#environment = environment;
    this.#record = record;
    this.#supervisor = supervisor;
  }

  /**
   * @param purpose what the cloud is told when it has to be asked
   * @throws IpsError CREDENTIAL_NOT_FOUND, CREDENTIAL_TARGET_REFUSED, CREDENTIAL_UNREADABLE; SMB_LOGON_FAILED when there
   *   is none that was not refused
   */
  async credential(purpose: CredentialPurpose, signal: AbortSignal): Promise<ShareCredential> {
    if (this.#open) return this.#open;
    const { envelopes } = this.#record.job;
    if (this.#refusals > 1) throw new IpsError('SMB_LOGON_FAILED');
    if (envelopes && this.#refusals === 0) {
      try {
        this.#open = this.#unseal(envelopes);
        return this.#open;
      } catch (error) {
        // For a teardown the cloud seals it anew: what lies here may be sealed to a key that was since replaced.
        if (purpose === 'run') throw error;
      }
    }
    const fresh = await this.#supervisor.credentials(purpose, signal);
    if (this.#refusals > 0 && envelopes && isSame(fresh, envelopes)) {
      this.refused();
      throw new IpsError('SMB_LOGON_FAILED');
    }
    this.#record.storeEnvelopes(fresh);
    this.#open = this.#unseal(fresh);
    return this.#open;
  }

  /** The file server refused what was given last. */
  refused(): void {
    this.#refusals += 1;
    this.#open = undefined;
  }

  #unseal(envelopes: readonly CredentialEnvelope[]): ShareCredential {
    const { parameters, jobId, token } = this.#record.job;
    for (const { credential, target } of credentialUses(parameters)) {
      const envelope = envelopes.find(({ name }) => name === credential);
      if (!envelope) throw new IpsError('CREDENTIAL_NOT_FOUND', `It is called ${credential}.`);
      if (!isTargetAllowed(envelope.allowedTargets, target))
        throw new IpsError('CREDENTIAL_TARGET_REFUSED', `${credential} is not for ${target}.`);
    }
    const envelope = envelopes.find(({ name }) => name === parameters.target.credential);
    if (!envelope) throw new IpsError('CREDENTIAL_NOT_FOUND');
    const { customerId, connectorId, sealKey } = this.#environment;
    const { name, version, sealed } = envelope;
    const place = credentialPlace({ customerId, jobId, token, connectorId, name, version });
    try {
      return new ShareCredential(credentialSecretSchema.parse(JSON.parse(unseal(sealKey, sealed, place))), parameters);
    } catch {
      // The reason may quote what was opened, so it goes no further.
      throw new IpsError('CREDENTIAL_UNREADABLE', `It is called ${name}, version ${version}.`);
    }
  }
}

/** Whether these are the same versions of the same credentials. */
function isSame(one: readonly CredentialEnvelope[], other: readonly CredentialEnvelope[]): boolean {
  return one.every(({ name, version }) => other.some((each) => each.name === name && each.version === version));
}
