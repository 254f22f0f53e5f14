/**
 * The link to the cloud: it dials, and dials again, with a jittered delay, for as long as the daemon lives. A cloud
 * that refuses us is asked again at a slow pace, since an operator may set it right at any time.
 */
import { type BackoffLimits, backoffMs } from '../lib/backoff.ts';
import { type Clock, deadlineSignal } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import type { Logger } from '../lib/logging.ts';
import type { RandomSource } from '../lib/random.ts';
import { type ErrorReport, IpsError, toIpsError } from '../protocol/errors.ts';
import type { ToCloud } from '../protocol/link.ts';
import { LinkSession, type SessionEnd, type SessionHost } from './link-session.ts';
import type { DialLink, LinkSocket } from './link-socket.ts';

const RETRY: BackoffLimits = { firstMs: 1_000, maxMs: 60_000 };
const REFUSED_RETRY: BackoffLimits = { firstMs: 60_000, maxMs: 300_000 };
/** Longest time from the look at the certificate to an open WebSocket, in ms, however slowly the other side answers. */
const DIAL_LIMIT_MS = 40_000;
/** A connection that was up this long, in ms, was a good one: the next delay starts small again. */
const GOOD_AFTER_MS = 10_000;

export interface LinkHost extends SessionHost {
  /** The link went down, or did not come up. @param nextTryMs milliseconds until the next try */
  onDown(error: ErrorReport, nextTryMs: number): void;
}

export interface LinkTools {
  dial: DialLink;
  clock: Clock;
  random: RandomSource;
  doors: Doors;
  log: Logger;
}

export class Link {
  readonly #host: LinkHost;
  readonly #tools: LinkTools;
  #session: LinkSession | undefined;

  constructor(host: LinkHost, tools: LinkTools) {
    this.#host = host;
    this.#tools = tools;
  }

  /** @returns false when the link is not up */
  send(message: ToCloud): boolean {
    return this.#session?.send(message) ?? false;
  }

  /** Keeps the link up until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#tools;
    let failures = 0;
    while (!signal.aborted) {
      const { error, upMs, refused } = await this.#connect(signal);
      if (signal.aborted) return;
      if (upMs !== undefined && upMs >= GOOD_AFTER_MS) failures = 0;
      const waitMs = backoffMs(refused ? REFUSED_RETRY : RETRY, failures, random);
      failures += 1;
      const { code, message, hint } = error;
      const nextTryAt = new Date(clock.wall().getTime() + waitMs).toISOString();
      const particulars = { code, reason: message, hint, nextTryInSeconds: Math.round(waitMs / 100) / 10, nextTryAt };
      if (refused) log.error('the cloud refuses this connector; it will be asked again', particulars);
      else log.warn('no link to the cloud; it will be tried again', particulars);
      this.#host.onDown(error.report(), waitMs);
      await clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }

  async #connect(signal: AbortSignal): Promise<{ error: IpsError; upMs: number | undefined; refused: boolean }> {
    const session = new LinkSession(this.#host, this.#tools);
    try {
      const socket = await this.#dial(session, signal);
      this.#session = session;
      const end: SessionEnd = await session.run(socket);
      const error = end.refused ?? new IpsError('CLOUD_UNREACHABLE', `The link ended: ${end.reason}.`);
      return { error, upMs: end.upMs, refused: end.refused !== undefined };
    } catch (error) {
      return { error: toIpsError(error), upMs: undefined, refused: false };
    } finally {
      this.#session = undefined;
    }
  }

  async #dial(session: LinkSession, signal: AbortSignal): Promise<LinkSocket> {
    const { clock, doors, dial } = this.#tools;
    const late = () => new IpsError('CLOUD_UNREACHABLE', `There was no link within ${DIAL_LIMIT_MS / 1000} s.`);
    const limit = deadlineSignal(clock, DIAL_LIMIT_MS, late, signal);
    try {
      return await doors.pass('send', 'link.dial', () => dial(session, limit.signal));
    } finally {
      limit.release();
    }
  }
}
