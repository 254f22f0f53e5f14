/** The shape of a sealed message; `lib/seal.ts` makes and opens them. */
import { z } from 'zod';

export const sealedSchema = z.object({
  v: z.literal(1),
  /** Ephemeral X25519 public key, raw, base64url. */
  epk: z.string(),
  ciphertext: z.string(),
  tag: z.string(),
});

/**
 * Additional data that binds a sealed credential to its place: the same envelope is worthless for another customer,
 * job, token, connector, credential or version.
 */
export function credentialPlace(place: {
  customerId: string;
  jobId: string;
  token: string;
  connectorId: string;
  name: string;
  version: number;
}): string {
  return JSON.stringify([
    'ips.credential.v1',
    place.customerId,
    place.jobId,
    place.token,
    place.connectorId,
    place.name,
    place.version,
  ]);
}

/** A wallet secret, in the plain: only ever inside a sealed envelope or a worker's memory. */
export const usernamePasswordSchema = z.object({
  type: z.literal('UsernamePassword'),
  username: z.string().min(1).max(256),
  password: z.string().min(1).max(1024),
  domain: z.string().max(256).optional(),
});
export const credentialSecretSchema = z.discriminatedUnion('type', [usernamePasswordSchema]);
export type CredentialSecret = z.infer<typeof credentialSecretSchema>;
