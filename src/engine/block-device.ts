/** Disks of this VM, found by the serial number that the connector gave them, never by their order. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { readIfThere } from '../lib/files.ts';

const POLL_MS = 50;

/**
 * Waits for the disk with this serial number (virtio: Documentation/ABI/testing/sysfs-block, `serial`).
 * @param limitMs in ms; a disk may come up a moment after the agent
 * @returns its device node, or undefined when there was none in time
 */
export async function findDisk(
  serial: string,
  { clock, limitMs, signal }: { clock: Clock; limitMs: number; signal?: AbortSignal },
  sysBlock = '/sys/block',
): Promise<string | undefined> {
  const end = clock.monotonic() + limitMs;
  for (;;) {
    for (const name of await readdir(sysBlock)) {
      if ((await readIfThere(join(sysBlock, name, 'serial')))?.trim() === serial) return `/dev/${name}`;
    }
    if (clock.monotonic() >= end) return undefined;
    await clock.sleep(POLL_MS, signal);
  }
}
