/** The keys of an appliance in tests, and what it signs and opens with them. */
import { type KeyObject, sign } from 'node:crypto';
import { exportPublicKey, newPrivateKey, readPrivateKey, unseal } from '../../src/lib/seal.ts';
import { type CredentialEnvelope, proofText } from '../../src/protocol/link.ts';
import { type Appliance, pairingProofText } from '../../src/protocol/rest.ts';
import { credentialPlace } from '../../src/protocol/sealed.ts';

export class ApplianceKeys {
  readonly #sign: KeyObject = readPrivateKey(newPrivateKey('ed25519'));
  readonly #seal: KeyObject = readPrivateKey(newPrivateKey('x25519'));

  appliance(name: string): Appliance {
    return { name, signKey: exportPublicKey(this.#sign), sealKey: exportPublicKey(this.#seal), version: '0.0.1-test' };
  }

  /** A signed pairing request. @param code empty when the appliance asks for a code */
  pairingRequest(name: string, code: string): Appliance & { signature: string } {
    const appliance = this.appliance(name);
    return { ...appliance, signature: this.#signed(pairingProofText(appliance, code)) };
  }

  proof(nonce: string, connectorId: string, instanceId: string, generation: number): string {
    return this.#signed(proofText(nonce, connectorId, instanceId, generation));
  }

  open(
    { name, version, sealed }: CredentialEnvelope,
    place: { customerId: string; jobId: string; token: string; connectorId: string },
  ): string {
    return unseal(this.#seal, sealed, credentialPlace({ ...place, name, version }));
  }

  #signed(text: string): string {
    return sign(null, Buffer.from(text), this.#sign).toString('base64url');
  }
}
