/** Disks are told apart by serial number, and one that comes up late is waited for, not for ever. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { findDisk } from '../../../src/engine/block-device.ts';
import { ManualClock } from './manual-clock.ts';

let sysBlock: string;
beforeEach(async () => {
  sysBlock = await mkdtemp(join(tmpdir(), 'sys-block-'));
  await addDisk('vda', 'ips-root\n');
  await mkdir(join(sysBlock, 'loop0'));
});
afterEach(() => rm(sysBlock, { recursive: true }));

async function addDisk(name: string, serial: string): Promise<void> {
  await mkdir(join(sysBlock, name));
  await writeFile(join(sysBlock, name, 'serial'), serial);
}

/** Sleeping moves the clock at once, and lets something happen on the way. */
class SteppingClock extends ManualClock {
  onSleep: () => Promise<void> = async () => undefined;

  override async sleep(ms: number): Promise<void> {
    await this.onSleep();
    this.advance(ms);
  }
}

it('finds the disk with exactly this serial number', async () => {
  await addDisk('vdb', 'ips-source');
  const clock = new SteppingClock();
  expect(await findDisk('ips-source', { clock, limitMs: 0 }, sysBlock)).toBe('/dev/vdb');
  expect(await findDisk('ips-roo', { clock, limitMs: 0 }, sysBlock)).toBeUndefined();
});

it('waits for a disk that comes up late', async () => {
  const clock = new SteppingClock();
  let sleeps = 0;
  clock.onSleep = async () => {
    sleeps += 1;
    if (sleeps === 3) await addDisk('vdc', 'ips-config');
  };
  expect(await findDisk('ips-config', { clock, limitMs: 1000 }, sysBlock)).toBe('/dev/vdc');
});

it('gives up at its limit', async () => {
  const clock = new SteppingClock();
  expect(await findDisk('ips-config', { clock, limitMs: 1000 }, sysBlock)).toBeUndefined();
  expect(clock.monotonic()).toBe(1000);
});
