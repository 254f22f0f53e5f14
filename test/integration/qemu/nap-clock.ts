/**
 * A clock whose waits are a hundred times shorter. Durations are measured in naps, not in real time: whoever looks again
 * and again gets no fewer looks on a busy machine.
 */
import { type Clock, systemClock } from '../../../src/lib/clock.ts';

export function napClock(): Clock {
  const real = systemClock();
  let slept = 0;
  return {
    ...real,
    monotonic: () => slept,
    after: (ms, action, options) => real.after(ms / 100, action, options),
    sleep: async (ms, signal) => {
      slept += ms * 10;
      await real.sleep(ms / 10, signal);
    },
  };
}
