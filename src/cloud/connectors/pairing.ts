/**
 * Pairing, both ways. An admin issues a code that an appliance redeems; or an appliance shows a code and its key's
 * fingerprint, and an admin who sees the same fingerprint confirms. A claim belongs to no customer until it is
 * confirmed: where a cloud serves several, it is shown only to somebody who knows its code.
 */
import { verify } from 'node:crypto';
import type { z } from 'zod';
import type { Clock } from '../../lib/clock.ts';
import { newId, randomText } from '../../lib/ids.ts';
import type { Logger } from '../../lib/logging.ts';
import type { RandomSource } from '../../lib/random.ts';
import { importPublicKey } from '../../lib/seal.ts';
import { IpsError } from '../../protocol/errors.ts';
import { applianceFingerprint } from '../../protocol/fingerprint.ts';
import {
  type Appliance,
  type claimedPairingSchema,
  type claimStateSchema,
  type createdPairingCodeSchema,
  type Paired,
  pairingCodeTextSchema,
  pairingProofText,
  type pendingPairingSchema,
} from '../../protocol/rest.ts';
import type { Caller } from '../http/caller.ts';
import { RateLimiter, sourceOf } from '../rate-limiter.ts';
import type { ConnectorRecord } from '../store/connectors.ts';
import type { LocationRecord } from '../store/locations.ts';
import type { Nouns, Store } from '../store/store.ts';
import type { Lockbox } from '../wallet/lockbox.ts';

/** No 0/O, 1/I/L, U: nothing that is misread or misheard. */
const CODE_ALPHABET = 'ABCDEFGHJKMNPQRSTVWXYZ23456789';
const CODE_LENGTH = 8;
const CODE_TTL_MS = 15 * 60_000;
/** How long a used or expired code is still told apart from an unknown one. */
const KEEP_MS = 24 * 60 * 60_000;
const MAX_PENDING = 50;
const MAX_PENDING_PER_SOURCE = 5;
const FIRST_GENERATION = 1;
const MAX_NAME = 63;

/**
 * For appliances, which anybody can claim to be: a code is one of 30^8. The overall limits only bound the memory that
 * counting takes; they are out of the reach of a few strangers, and nothing that an admin does counts against them.
 */
const TRIES = { windowMs: CODE_TTL_MS, perKey: 20, overall: 50_000 };
const LOOKS = { windowMs: 60_000, perKey: 120, overall: 50_000 };
/** For admins, each by their token. */
const ADMIN_TRIES = { windowMs: 60_000, perKey: 60, overall: 5_000 };

export interface PairingTools {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly lockbox: Lockbox;
  readonly log: Logger;
}

export class PairingDesk {
  readonly #tools: PairingTools;
  readonly #tries: RateLimiter;
  readonly #looks: RateLimiter;
  readonly #adminTries: RateLimiter;

  constructor(tools: PairingTools) {
    this.#tools = tools;
    this.#tries = new RateLimiter(tools.clock, TRIES);
    this.#looks = new RateLimiter(tools.clock, LOOKS);
    this.#adminTries = new RateLimiter(tools.clock, ADMIN_TRIES);
  }

  /** A new code for this location. @throws IpsError NOT_FOUND */
  async issue(caller: Caller, resourceLocation: string): Promise<z.output<typeof createdPairingCodeSchema>> {
    const { store, random } = this.#tools;
    const code = randomText(random, CODE_LENGTH, CODE_ALPHABET);
    const { at, ms } = this.#now();
    const expiresMs = ms + CODE_TTL_MS;
    const location = await store.change('pairing.issue', async (tx) => {
      await tx.pairing.removeExpired(ms - KEEP_MS);
      const found = await findLocation(tx, caller, resourceLocation);
      const id = newId('code', random);
      const { customerId } = caller;
      const codeHash = this.#hash(code);
      await tx.pairing.addCode({ id, customerId, locationId: found.id, codeHash, createdBy: caller.name, expiresMs });
      const detail = { resourceLocation: found.name };
      await tx.audit.add({ customerId, actor: caller.actor, action: 'pairing.issue', subject: id, detail }, at);
      return found;
    });
    return { code: shown(code), expiresAt: iso(expiresMs), resourceLocation: location.name };
  }

  /**
   * An appliance redeems a code. The same appliance may repeat it, in case it never got the answer.
   * @param source the caller's address, for the limit
   * @throws IpsError RATE_LIMITED, CONNECTOR_REFUSED, PAIRING_CODE_UNKNOWN, PAIRING_CODE_EXPIRED, PAIRING_CODE_USED
   */
  async redeem(request: Appliance & { code: string; signature: string }, source: string): Promise<Paired> {
    this.#tries.take(sourceOf(source));
    const code = pairingCodeTextSchema.safeParse(request.code);
    if (!code.success) throw new IpsError('PAIRING_CODE_UNKNOWN');
    checkSignature(request, code.data);
    const { at, ms } = this.#now();
    const paired = await this.#tools.store.change('pairing.redeem', async (tx) => {
      const known = await tx.pairing.code(this.#hash(code.data));
      if (!known) throw new IpsError('PAIRING_CODE_UNKNOWN');
      if (known.usedAt !== null) {
        const owner = await tx.connectors.byId(known.connectorId ?? '');
        if (owner?.signKey !== request.signKey || owner.lastSeenAt !== null) throw new IpsError('PAIRING_CODE_USED');
        return await toPaired(tx, owner);
      }
      if (known.expiresMs <= ms) throw new IpsError('PAIRING_CODE_EXPIRED');
      const connector = await this.#addConnector(tx, known.customerId, known.locationId, request, at);
      if (!(await tx.pairing.useCode(known.id, connector.id, at))) throw new IpsError('PAIRING_CODE_USED');
      await auditPairing(tx, connector, `connector:${connector.name}`, at);
      return await toPaired(tx, connector);
    });
    this.#tools.log.info('connector paired', { connector: paired.connectorName });
    return paired;
  }

  /**
   * An appliance asks for a code to show.
   * @throws IpsError RATE_LIMITED, CONNECTOR_REFUSED, PAIRING_TOO_MANY_PENDING
   */
  async claim(
    request: Appliance & { signature: string },
    source: string,
  ): Promise<z.output<typeof claimedPairingSchema>> {
    this.#tries.take(sourceOf(source));
    checkSignature(request, '');
    const { store, random } = this.#tools;
    const { name, signKey, sealKey, version } = request;
    const code = randomText(random, CODE_LENGTH, CODE_ALPHABET);
    const claimId = newId('claim', random);
    const { ms } = this.#now();
    const expiresMs = ms + CODE_TTL_MS;
    await store.change('pairing.claim', async (tx) => {
      await tx.pairing.removeExpired(ms - KEEP_MS);
      const pending = await tx.pairing.pending(ms);
      const fromSource = pending.filter((other) => sourceOf(other.source) === sourceOf(source));
      if (pending.length >= MAX_PENDING || fromSource.length >= MAX_PENDING_PER_SOURCE)
        throw new IpsError('PAIRING_TOO_MANY_PENDING');
      const appliance = { name, signKey, sealKey, version };
      await tx.pairing.addClaim({ id: claimId, code, appliance, source, expiresMs });
    });
    return { claimId, code: shown(code), expiresAt: iso(expiresMs) };
  }

  /** What became of a claim. @throws IpsError RATE_LIMITED, PAIRING_CODE_UNKNOWN, PAIRING_CODE_EXPIRED */
  async claimState(claimId: string, source: string): Promise<z.output<typeof claimStateSchema>> {
    this.#looks.take(sourceOf(source));
    const { store } = this.#tools;
    const claim = await store.pairing.claim({ id: claimId });
    if (!claim) throw new IpsError('PAIRING_CODE_UNKNOWN');
    if (claim.connectorId === null) {
      if (claim.expiresMs <= this.#now().ms) throw new IpsError('PAIRING_CODE_EXPIRED');
      return { state: 'pending' };
    }
    const connector = await store.connectors.byId(claim.connectorId);
    if (!connector) throw new IpsError('CONNECTOR_UNKNOWN');
    return { state: 'paired', paired: await toPaired(store, connector) };
  }

  /**
   * Claims that wait, each with the fingerprint that the admin must compare.
   * @param code only this one
   * @throws IpsError RATE_LIMITED, REQUEST_INVALID without a code where another customer could be meant
   */
  async pending(caller: Caller, code?: string): Promise<z.output<typeof pendingPairingSchema>[]> {
    this.#adminTries.take(caller.tokenId);
    const { store } = this.#tools;
    if (code === undefined && (await store.meta.customers()).length > 1)
      throw new IpsError('REQUEST_INVALID', 'Give the code: this cloud serves several customers.');
    const claims = await store.pairing.pending(this.#now().ms);
    return claims
      .filter((claim) => code === undefined || claim.code === code)
      .map((claim) => ({
        code: shown(claim.code),
        applianceName: claim.appliance.name,
        fingerprint: applianceFingerprint(claim.appliance.signKey),
        expiresAt: iso(claim.expiresMs),
      }));
  }

  /**
   * An admin vouches for a claim: the appliance becomes a connector of this location.
   * @throws IpsError RATE_LIMITED, NOT_FOUND, PAIRING_CODE_UNKNOWN, PAIRING_CODE_EXPIRED, PAIRING_CODE_USED,
   *   REQUEST_INVALID when the fingerprint is another one
   */
  async confirm(
    caller: Caller,
    code: string,
    request: { resourceLocation: string; fingerprint?: string | undefined },
  ): Promise<ConnectorRecord> {
    this.#adminTries.take(caller.tokenId);
    const { at, ms } = this.#now();
    return await this.#tools.store.change('pairing.confirm', async (tx) => {
      const location = await findLocation(tx, caller, request.resourceLocation);
      const claim = await tx.pairing.claim({ code });
      if (!claim) throw new IpsError('PAIRING_CODE_UNKNOWN');
      if (claim.confirmedAt !== null) throw new IpsError('PAIRING_CODE_USED');
      if (claim.expiresMs <= ms) throw new IpsError('PAIRING_CODE_EXPIRED');
      const fingerprint = applianceFingerprint(claim.appliance.signKey);
      if (request.fingerprint !== undefined && request.fingerprint !== fingerprint)
        throw new IpsError('REQUEST_INVALID', 'The appliance with this code has another fingerprint.');
      const connector = await this.#addConnector(tx, caller.customerId, location.id, claim.appliance, at);
      if (!(await tx.pairing.confirmClaim(claim.id, connector.id, at))) throw new IpsError('PAIRING_CODE_USED');
      await auditPairing(tx, connector, caller.actor, at);
      return connector;
    });
  }

  async #addConnector(
    tx: Nouns,
    customerId: string,
    locationId: string,
    appliance: Appliance,
    at: string,
  ): Promise<ConnectorRecord> {
    const record: ConnectorRecord = {
      id: newId('con', this.#tools.random),
      customerId,
      locationId,
      name: appliance.name,
      signKey: appliance.signKey,
      sealKey: appliance.sealKey,
      version: appliance.version,
      platforms: [],
      slots: 0,
      standing: 'trusted',
      generation: FIRST_GENERATION,
      pendingGeneration: undefined,
      trustNext: false,
      pairedAt: at,
      lastSeenAt: null,
    };
    for (let n = 1; ; n += 1) {
      const suffix = n === 1 ? '' : `-${n}`;
      const named = { ...record, name: `${appliance.name.slice(0, MAX_NAME - suffix.length)}${suffix}` };
      if (await tx.connectors.add(named)) return named;
    }
  }

  #hash(code: string): string {
    return this.#tools.lockbox.keyedHash('pairing code', code);
  }

  #now(): { at: string; ms: number } {
    const wall = this.#tools.clock.wall();
    return { at: wall.toISOString(), ms: wall.getTime() };
  }
}

/** @throws IpsError CONNECTOR_REFUSED when a key is none, or the signature is not by it */
function checkSignature(request: Appliance & { signature: string }, code: string): void {
  const text = Buffer.from(pairingProofText(request, code));
  let isGood: boolean;
  try {
    importPublicKey('X25519', request.sealKey);
    const key = importPublicKey('Ed25519', request.signKey);
    isGood = verify(null, text, key, Buffer.from(request.signature, 'base64url'));
  } catch (error) {
    throw new IpsError('CONNECTOR_REFUSED', 'One of its keys is malformed.', { cause: error });
  }
  if (!isGood) throw new IpsError('CONNECTOR_REFUSED');
}

async function findLocation(nouns: Nouns, caller: Caller, nameOrId: string): Promise<LocationRecord> {
  const location = await nouns.locations.find(caller.customerId, nameOrId);
  if (!location) throw new IpsError('NOT_FOUND', `No resource location is called "${nameOrId}".`);
  return location;
}

async function auditPairing(tx: Nouns, connector: ConnectorRecord, actor: string, at: string): Promise<void> {
  const { customerId, name, signKey } = connector;
  const detail = { fingerprint: applianceFingerprint(signKey) };
  await tx.audit.add({ customerId, actor, action: 'connector.pair', subject: name, detail }, at);
}

async function toPaired(nouns: Nouns, connector: ConnectorRecord): Promise<Paired> {
  const location = await nouns.locations.find(connector.customerId, connector.locationId);
  return {
    connectorId: connector.id,
    connectorName: connector.name,
    customerId: connector.customerId,
    resourceLocation: location?.name ?? connector.locationId,
    generation: FIRST_GENERATION,
  };
}

function shown(code: string): string {
  return `${code.slice(0, CODE_LENGTH / 2)}-${code.slice(CODE_LENGTH / 2)}`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
