/**
 * The fingerprint of an appliance: what a person compares on two screens before confirming a pairing. SHA-256 of the
 * raw Ed25519 public key, its first 16 bytes as hexadecimal in groups of four.
 */
import { createHash } from 'node:crypto';

/** @param signKey raw Ed25519 public key, base64url */
export function applianceFingerprint(signKey: string): string {
  const digest = createHash('sha256').update(Buffer.from(signKey, 'base64url')).digest('hex').slice(0, 32);
  return digest.match(/.{4}/g)?.join(':') ?? digest;
}
