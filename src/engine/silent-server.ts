/**
 * A file server that falls silent lets each call hang for minutes, and no abort ends a call inside the kernel. So nobody
 * waits for one beyond an abort, and for the end of what was given up only a moment: the end of this process ends the
 * call.
 */
import type { RandomAccess } from '../disk/access.ts';
import type { Clock } from '../lib/clock.ts';

/** In ms: enough for a server that answers to take what was on its way. */
export const MOMENT_MS = 2_000;

/** @throws the signal's reason as soon as it aborts: the work is left to itself then */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Waits for the end of the work, good or bad, but for a moment only. */
export async function forAMoment(work: Promise<unknown>, clock: Clock): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = clock.after(MOMENT_MS, resolve);
    const over = () => {
      timer.cancel();
      resolve();
    };
    work.then(over, over);
  });
}

/**
 * Uses a file on the share and closes it.
 * @throws the signal's reason as soon as it aborts; what opening, using or closing throws
 */
export async function withFile<F extends RandomAccess, T>(
  opening: Promise<F>,
  use: (file: F) => Promise<T>,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<T> {
  const work = opening.then(async (file) => {
    signal.throwIfAborted();
    const result = await use(file);
    await file.close();
    return result;
  });
  try {
    return await unlessAborted(work, signal);
  } catch (error) {
    await forAMoment(
      opening.then((file) => file.close()),
      clock,
    );
    throw error;
  }
}
