import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { kill, RealPrograms, until } from './real-programs.ts';

describe('a connector and the real cloud', () => {
  const programs = new RealPrograms();
  const pairing = () => ['pair', '--cloud', programs.url, '--pin', programs.pin];
  beforeAll(async () => {
    await programs.startCloud();
    await programs.api('POST', '/v1/resource-locations', { name: 'lab' });
  }, 60_000);
  afterAll(async () => await programs.stop(), 60_000);

  const newCode = async () =>
    (await programs.api<{ code: string }>('POST', '/v1/pairing-codes', { resourceLocation: 'lab' })).code;

  it('pair with a code from standard input, connect, and are back after each of them was killed', async () => {
    const paired = await programs.ran('one', [...pairing(), '--name', 'one', '--code', '-'], `${await newCode()}\n`);
    expect([paired.code, paired.stderr]).toEqual([0, '']);
    expect(paired.stdout).toContain('connector "one" of location "lab"');
    expect(statSync(join(programs.folder, 'one')).mode & 0o777).toBe(0o700);

    const daemon = programs.connector('one', ['run']);
    await programs.waitForState('one', 'connected');
    const title = readTitle(daemon.pid);
    expect(title).toBe('ips-connector');

    await programs.killCloud();
    await programs.startCloud();
    await programs.waitForState('one', 'connected');

    await kill(daemon, 'SIGKILL');
    await programs.waitForState('one', 'disconnected');
    const again = programs.connector('one', ['run']);
    await programs.waitForState('one', 'connected');
    const status = await programs.ran('one', ['status']);
    expect(status.stdout).toMatch(/connector +one .*\nlocation +lab\n/);
    expect(status.stdout).toMatch(/daemon +running since .*\nlink +up since .*\njobs +none/);

    expect(await kill(again, 'SIGTERM')).toBe(0);
    expect((await programs.ran('one', ['status'])).stdout).toMatch(/daemon +not running/);
  }, 120_000);

  it('pair the other way round: the fingerprint on both screens is the same', async () => {
    const child = programs.connector('two', [...pairing(), '--name', 'two']);
    let shown = '';
    child.stdout?.on('data', (chunk) => {
      shown += chunk;
    });
    await until('the appliance shows its code', () => shown.includes('Fingerprint:'));
    const [code = ''] = /[A-Z2-9]{4}-[A-Z2-9]{4}/.exec(shown) ?? [];
    const [pending] = await programs.api<{ fingerprint: string }[]>('GET', `/v1/pairing-codes?code=${code}`);
    expect(shown).toContain(`Fingerprint:   ${pending?.fingerprint}`);
    await programs.api('POST', `/v1/pairing-codes/${code}/confirm`, {
      resourceLocation: 'lab',
      fingerprint: pending?.fingerprint,
    });
    await until('the command ends', () => child.exitCode !== null);
    expect(child.exitCode).toBe(0);
    programs.connector('two', ['run']);
    await programs.waitForState('two', 'connected');
  }, 60_000);

  it('part: unpaired, the appliance can be paired anew', async () => {
    const pair = async () => await programs.ran('three', [...pairing(), '--name', 'three', '--code', await newCode()]);
    expect((await pair()).code).toBe(0);
    const twice = await pair();
    expect(twice.code).toBe(1);
    expect(twice.stderr).toMatch(/^error ALREADY_PAIRED: .*\n {2}→ .+\n$/);
    expect((await programs.ran('three', ['unpair'])).code).toBe(0);
    expect((await programs.ran('three', ['run'])).stderr).toMatch(/^error NOT_PAIRED: /);
    const anew = await programs.ran('three', [...pairing(), '--name', 'three-b', '--code', await newCode()]);
    expect(anew.code).toBe(0);
  }, 60_000);
});

function readTitle(pid: number | undefined): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] ?? '';
}
