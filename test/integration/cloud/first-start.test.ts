import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sqliteDialect } from '../../../src/cloud/store/sqlite/database.ts';
import { openStore } from '../../../src/cloud/store/store.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { makeCertificate } from '../../harness/certificates.ts';

const MAIN = resolve(import.meta.dirname, '../../../src/cloud/main.ts');

describe('ips-cloud', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ips-cloud-'));
  });
  afterEach(async () => {
    // Those that a failed test has left.
    for (const child of started.splice(0)) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });
  const started: ChildProcess[] = [];

  /** Starts the program; resolves with what it printed once it listens, or when it has ended. */
  async function start(...more: string[]) {
    const args = ['serve', '--data-folder', join(folder, 'data'), '--listen-address', '127.0.0.1'];
    const child = spawn(process.execPath, [MAIN, ...args, '--listen-port', '0', ...more]);
    started.push(child);
    let out = '';
    let errors = '';
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    const ended = once(child, 'close').then(([code]) => Number(code));
    await new Promise<void>((ready) => {
      child.stdout.on('data', (chunk) => {
        out += chunk;
        if (/^Pin: .*\n/m.test(out)) ready();
      });
      void ended.then(() => ready());
    });
    const stop = () => {
      child.kill('SIGTERM');
      return ended;
    };
    return { out, errors: () => errors, ended, stop };
  }
  const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

  it('prints URL, pin and the first admin token once, and only URL and the same pin afterwards', async () => {
    const first = await start();
    expect(first.out).toMatch(
      /^First admin token .*: ips_\S{43}\nURL: https:\/\/127\.0\.0\.1:\d+\nPin: sha256\/\S{44}\n$/,
    );
    expect(await first.stop()).toBe(0);
    expect(first.errors()).not.toContain('ips_');
    const second = await start();
    expect(second.out).toMatch(/^URL: \S+\nPin: \S+\n$/);
    expect(second.out.split('Pin')[1]).toBe(first.out.split('Pin')[1]);
    expect(await second.stop()).toBe(0);
  }, 60_000);

  it('writes token and address into private files when asked', async () => {
    const files = { ready: join(folder, 'ready'), token: join(folder, 'token') };
    const run = await start('--ready-file', files.ready, '--admin-token-file', files.token);
    expect(run.out).not.toContain('ips_');
    expect(await readFile(files.token, 'utf8')).toMatch(/^ips_\S{43}\n$/);
    await run.stop();
    expect(JSON.parse(await readFile(files.ready, 'utf8'))).toEqual({
      url: expect.stringMatching(/^https:/),
      pin: expect.stringMatching(/^sha256\//),
    });
    const kept = ['data/wallet.key', 'data/tls.pem', 'data/cloud.sqlite', 'ready', 'token'];
    for (const name of kept) expect([name, await mode(join(folder, name))]).toEqual([name, '600']);
    expect(await mode(join(folder, 'data'))).toBe('700');
  }, 60_000);

  it('says which setting is wrong when the port is taken or the key is of another certificate, without a stack', async () => {
    const first = await start();
    const taken = ['--listen-port', new URL(/^URL: (\S+)$/m.exec(first.out)?.[1] ?? '').port];
    const second = await start('--data-folder', join(folder, 'other'), ...taken);
    expect(await second.ended).toBe(2);
    expect(second.errors()).toMatch(/error CONFIG_INVALID:.*"listen".*EADDRINUSE/);
    await first.stop();
    const [one, other] = [await makeCertificate(), await makeCertificate()];
    await writeFile(join(folder, 'cert.pem'), one.cert);
    await writeFile(join(folder, 'key.pem'), other.key, { mode: 0o600 });
    const files = ['--tls-certificate-file', join(folder, 'cert.pem'), '--tls-key-file', join(folder, 'key.pem')];
    const mixed = await start('--data-folder', join(folder, 'third'), ...files);
    expect(await mixed.ended).toBe(2);
    expect(mixed.errors()).toMatch(/error CONFIG_INVALID:.*another certificate/);
    // No token was given away for a service that does not start.
    expect(mixed.out).toBe('');
    for (const run of [second, mixed]) expect(run.errors()).not.toContain('    at ');
    await writeFile(join(folder, 'key.pem'), one.key);
    const given = await start('--data-folder', join(folder, 'third'), ...files);
    expect(given.out).toContain(`Pin: ${one.pin}\n`);
    expect(await given.stop()).toBe(0);
  }, 60_000);

  it('says what is wrong with a command line, and that a folder is of another user', async () => {
    const wrong = await start('--bogus');
    expect(await wrong.ended).toBe(2);
    expect(wrong.errors()).toMatch(/^error USAGE: .*Unknown option '--bogus'\.\n {2}→ .+\n$/);
    await mkdir(join(folder, 'data'), { mode: 0o700 });
    await chown(join(folder, 'data'), 65_534, 65_534);
    const others = await start();
    expect(await others.ended).toBe(1);
    expect(others.errors()).toMatch(/^error WRONG_USER: .+ runuser -u USER -- COMMAND\.\n$/s);
    expect(await readdir(join(folder, 'data'))).toEqual([]);
  });

  it('does not make a new wallet key where credentials wait for the old one', async () => {
    const run = await start();
    await run.stop();
    const data = join(folder, 'data');
    const store = await openStore(sqliteDialect(join(data, 'cloud.sqlite')), new Doors());
    const [customer] = await store.meta.customers();
    const locked = { wrapped: '', iv: '', ciphertext: '', tag: '' } as never;
    const row = { name: 'share', version: 1, type: 'UsernamePassword', allowedTargets: [], updatedAt: 'now', locked };
    await store.change('test', (tx) => tx.credentials.put({ customerId: customer?.id ?? '', ...row }));
    await store.close();
    await rm(join(data, 'wallet.key'));
    const again = await start();
    expect(await again.ended).toBe(2);
    expect(again.errors()).toMatch(/error CONFIG_INVALID:.*wallet\.key is missing/);
    await expect(stat(join(data, 'wallet.key'))).rejects.toMatchObject({ code: 'ENOENT' });
  }, 60_000);

  it('does not start with a wallet key that others can read, nor twice on one data folder', async () => {
    const first = await start();
    const second = await start();
    expect(await second.ended).toBe(1);
    expect(second.errors()).toContain('error IN_USE:');
    await first.stop();
    await chmod(join(folder, 'data', 'wallet.key'), 0o640);
    const exposed = await start();
    expect(await exposed.ended).toBe(1);
    expect(exposed.errors()).toContain('error FILE_NOT_PRIVATE:');
    expect(exposed.errors()).toContain('wallet.key');
  }, 60_000);
});
