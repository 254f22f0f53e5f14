/**
 * Time, injected. Durations are measured on the monotonic clock only; the wall clock is for people to read and for
 * expiry dates that people gave. Clocks of two machines are never compared.
 */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back, not even when the wall clock is set. */
  monotonic(): number;
  /** The wall clock, for display and audit. */
  wall(): Date;
  /** Calls `action` once after `ms` milliseconds. A background timer does not keep the process alive. */
  after(ms: number, action: () => void, options?: { background?: boolean }): Timer;
  /** Calls `action` every `ms` milliseconds until cancelled. */
  every(ms: number, action: () => void, options?: { background?: boolean }): Timer;
  /**
   * Waits `ms` milliseconds.
   * @throws the signal's reason, as soon as it aborts
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Longest delay a Node timer takes, in ms; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export function systemClock(): Clock {
  const clock: Clock = {
    monotonic: () => performance.now(),
    wall: () => new Date(),
    after(ms, action, options) {
      const handle = setTimeout(action, Math.min(ms, MAX_TIMER_MS));
      if (options?.background) handle.unref();
      return { cancel: () => clearTimeout(handle) };
    },
    every(ms, action, options) {
      const handle = setInterval(action, Math.min(ms, MAX_TIMER_MS));
      if (options?.background) handle.unref();
      return { cancel: () => clearInterval(handle) };
    },
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason);
          return;
        }
        const timer = clock.after(ms, () => {
          signal?.removeEventListener('abort', aborted);
          resolve();
        });
        const aborted = () => {
          timer.cancel();
          reject(signal?.reason);
        };
        signal?.addEventListener('abort', aborted, { once: true });
      });
    },
  };
  return clock;
}

/**
 * A signal that aborts after `ms` milliseconds or when `parent` does, whichever is first.
 * Call `release` when the bounded work is over, or the timer stays until it fires.
 */
export function deadlineSignal(
  clock: Clock,
  ms: number,
  reason: () => Error,
  parent?: AbortSignal,
): { signal: AbortSignal; release: () => void } {
  const own = new AbortController();
  const timer = clock.after(ms, () => own.abort(reason()));
  const signal = parent ? AbortSignal.any([parent, own.signal]) : own.signal;
  return { signal, release: () => timer.cancel() };
}
