/** Who calls the API: one token, one customer, one role. */
import { createHash } from 'node:crypto';
import type { RandomSource } from '../../lib/random.ts';
import { IpsError } from '../../protocol/errors.ts';
import { ROLES, type Role } from '../../protocol/rest.ts';
import type { Store } from '../store/store.ts';

export interface Caller {
  tokenId: string;
  customerId: string;
  /** The token's name. */
  name: string;
  role: Role;
  /** As the audit log writes it. */
  actor: string;
}

const TOKEN_PREFIX = 'ips_';
const TOKEN_BYTES = 32;

export function newApiToken(random: RandomSource): string {
  return `${TOKEN_PREFIX}${random.bytes(TOKEN_BYTES).toString('base64url')}`;
}

/** What is stored of a token. It has 256 random bits, so a plain hash is enough. */
export function hashApiToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** @throws IpsError UNAUTHENTICATED */
export async function authenticate(store: Store, authorization: string | undefined): Promise<Caller> {
  const token = /^Bearer (ips_[A-Za-z0-9_-]{20,100})$/i.exec(authorization ?? '')?.[1];
  const record = token === undefined ? undefined : await store.apiTokens.byHash(hashApiToken(token));
  if (!record) throw new IpsError('UNAUTHENTICATED');
  const { id: tokenId, customerId, name, role } = record;
  return { tokenId, customerId, name, role, actor: `token:${name}` };
}

/** @throws IpsError FORBIDDEN when the caller's role is below `needed` */
export function demandRole(caller: Caller, needed: Role): void {
  if (ROLES.indexOf(caller.role) < ROLES.indexOf(needed))
    throw new IpsError('FORBIDDEN', `It needs the role ${needed}, this token has ${caller.role}.`);
}
