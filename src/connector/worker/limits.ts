/** Time limits around calls. */
import { type Clock, deadlineSignal, type Timer } from '../../lib/clock.ts';
import type { IpsError } from '../../protocol/errors.ts';

/** Ordinary calls to a provider, in ms. */
export const PROVIDER_CALL_MS = 60_000;
/** Starting or removing a virtual machine, in ms. */
export const PROVIDER_LONG_CALL_MS = 600_000;
/** Checks on the share from the connector, in ms. */
export const SHARE_CALL_MS = 60_000;

/** How long after its signal has aborted a call may still take to end by itself, in ms. */
const GIVE_UP_MS = 30_000;

/**
 * Runs `call` with a signal that aborts after `ms` with `reason`, or with `parent`. A call that is deaf to its signal (a
 * folder on a dead file server, a program that the kernel cannot end) is left alone a while later.
 */
export async function limited<T>(
  clock: Clock,
  ms: number,
  reason: () => IpsError,
  parent: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal, release } = deadlineSignal(clock, ms, reason, parent);
  const deaf = Promise.withResolvers<never>();
  let timer: Timer | undefined;
  const giveUpLater = () => {
    timer = clock.after(GIVE_UP_MS, () => deaf.reject(signal.reason), { background: true });
  };
  if (signal.aborted) giveUpLater();
  else signal.addEventListener('abort', giveUpLater, { once: true });
  try {
    return await Promise.race([call(signal), deaf.promise]);
  } finally {
    signal.removeEventListener('abort', giveUpLater);
    timer?.cancel();
    release();
  }
}
