/** The host's CLOCK_BOOTTIME, which goes on through a restart of this process and ignores the wall clock. */
import { readFileSync } from 'node:fs';

export interface Uptime {
  /** Changes with each boot: two readings can be subtracted only when it is the same. */
  bootId: string;
  /** Whole milliseconds since boot, time asleep included (`proc(5)`, /proc/uptime). */
  ms: number;
}

export function hostUptime(): Uptime {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const seconds = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  return { bootId, ms: Math.round(seconds * 1000) };
}

/** Milliseconds since `start`, or undefined when the host was rebooted in between. */
export function elapsedSince(start: Uptime): number | undefined {
  const now = hostUptime();
  return now.bootId === start.bootId ? now.ms - start.ms : undefined;
}
