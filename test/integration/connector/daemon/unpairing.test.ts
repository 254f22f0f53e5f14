/** Unpairing can be cut short at any point and done again, and no key outlives it into the next pairing. */
import { readdirSync } from 'node:fs';
import { afterEach, expect, it } from '@jest/globals';
import { readPairing } from '../../../../src/connector/pairing-record.ts';
import { unpair } from '../../../../src/connector/unpairing.ts';
import { Doors } from '../../../../src/lib/doors.ts';
import { Files } from '../../../../src/lib/files.ts';
import { Appliance } from './appliance.ts';

let appliance: Appliance;
afterEach(() => appliance.remove());

/** @returns how many points were passed */
async function unpairUntil(stopAt: number): Promise<number> {
  let points = 0;
  const pass = () => {
    points += 1;
    if (points > stopAt) throw new Error('killed');
  };
  const doors = new Doors({ before: pass, after: pass });
  await unpair(appliance.paths, new Files(doors), { ...appliance.tools, doors });
  return points;
}

async function pairedAppliance(): Promise<void> {
  appliance = new Appliance();
  await appliance.pairWith(new URL('https://cloud.test/'), { kind: 'ca' });
}

it('leaves nothing', async () => {
  await pairedAppliance();
  expect(await unpairUntil(Number.POSITIVE_INFINITY)).toBeGreaterThan(10);
  expect(readdirSync(appliance.paths.folder)).toEqual([]);
});

it('is done again after it was cut short at any point; without a pairing there is no key', async () => {
  await pairedAppliance();
  const points = await unpairUntil(Number.POSITIVE_INFINITY);
  for (let stopAt = 0; stopAt < points; stopAt += 1) {
    await appliance.remove();
    await pairedAppliance();
    await expect(unpairUntil(stopAt)).rejects.toThrow('killed');
    if (await readPairing(appliance.paths)) await unpairUntil(Number.POSITIVE_INFINITY);
    expect(readdirSync(appliance.paths.folder)).toEqual([]);
  }
});
