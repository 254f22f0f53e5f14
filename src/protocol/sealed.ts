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

/** smbclient takes no more of a password from its standard input; the rest would be cut off, in bytes of UTF-8. */
const MAX_PASSWORD_BYTES = 128;
/** mount.cifs takes no more of a user or domain name; the rest would be cut off, in bytes of UTF-8. */
const MAX_NAME_BYTES = 255;

/**
 * Without what no Windows account has in its name ([MS-SAMR] section 3.1.1.6), control characters and the % sign. To
 * mount.cifs and smbclient some of these are more than a character: a comma begins the next option of a mount, a % sign
 * the password.
 */
const NAME = /^[^"/\\[\]:;|=,+*?<>%\p{Cc}]*$/u;

const atMost = (bytes: number) => (text: string) => Buffer.byteLength(text) <= bytes;

/**
 * A wallet secret, in the plain: only ever inside a sealed envelope or a worker's memory. It is what both mount.cifs
 * and smbclient take for the same account. `user@domain.example` is that account's name for both, without `domain`.
 */
export const usernamePasswordSchema = z
  .strictObject({
    type: z.literal('UsernamePassword'),
    username: z
      .string()
      .min(1)
      .regex(/^[^\\/]*$/, { error: 'give the domain separately (--domain), not in the user name', abort: true })
      .regex(NAME, 'a user name has no control characters and none of "[]:;|=,+*?<>%')
      .refine(atMost(MAX_NAME_BYTES), `a user name has at most ${MAX_NAME_BYTES} bytes`),
    password: z
      .string()
      .min(1)
      .regex(/^[^\r\n\0]*$/, 'a password has no line breaks')
      .refine(atMost(MAX_PASSWORD_BYTES), `a password has at most ${MAX_PASSWORD_BYTES} bytes`),
    domain: z
      .string()
      .min(1)
      .regex(NAME, 'a domain has no control characters and none of "/\\[]:;|=,+*?<>%')
      .refine(atMost(MAX_NAME_BYTES), `a domain has at most ${MAX_NAME_BYTES} bytes`)
      .optional(),
  })
  .refine(({ username, domain }) => domain === undefined || !username.includes('@'), {
    path: ['domain'],
    error: 'the user name has its domain already, behind the @',
  });
export const credentialSecretSchema = z.discriminatedUnion('type', [usernamePasswordSchema]);
export type CredentialSecret = z.infer<typeof credentialSecretSchema>;
