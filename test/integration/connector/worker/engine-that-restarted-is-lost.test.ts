/** An answer with another boot id than the journal's ends the attempt, whoever else has the key. */
import { afterEach, expect, it } from '@jest/globals';
import { EngineClient } from '../../../../src/connector/engine-client.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { Doors } from '../../../../src/lib/doors.ts';
import { BOOT_IDENTITY, type UserData } from '../../../../src/protocol/engine.ts';
import { EngineDouble } from '../../../doubles/engine.ts';
import { ShareDouble } from '../../../doubles/share.ts';

const KEY = Buffer.alloc(32, 3);
const USER_DATA: UserData = {
  jobId: 'job-1',
  token: '1.1',
  bootKey: KEY.toString('hex'),
  deadlineSeconds: 60,
  hardDeadlineSeconds: 60,
};

let engine: EngineDouble;
afterEach(() => engine.powerOff());

async function statusFor(bootId: string | undefined): Promise<unknown> {
  engine = new EngineDouble(USER_DATA, {}, new ShareDouble(), 'boot-2');
  const address = { host: '127.0.0.1', port: await engine.listen() };
  const tools = { doors: new Doors(), clock: systemClock() };
  const client = new EngineClient(address, { identity: BOOT_IDENTITY, key: KEY }, tools, bootId);
  return await client.status(AbortSignal.timeout(5_000)).catch((error: unknown) => error);
}

it('refuses another boot', async () => {
  expect(await statusFor('boot-1')).toMatchObject({ code: 'ENGINE_LOST' });
});

it('goes on with the same, and learns the first', async () => {
  expect(await statusFor('boot-2')).toEqual({ bootId: 'boot-2', engineVersion: 'double' });
  await engine.powerOff();
  expect(await statusFor(undefined)).toEqual({ bootId: 'boot-2', engineVersion: 'double' });
});
