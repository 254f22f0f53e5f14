import { chmod, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CliCloud } from './cloud.ts';

// Each command is a process of its own, on a machine that may be busy.
jest.setTimeout(120_000);

describe('ips login', () => {
  let cloud: CliCloud;
  beforeAll(async () => {
    cloud = await CliCloud.start();
  });
  afterAll(async () => cloud.stop());
  const config = () => join(cloud.home, '.config/ips/config.json');

  it('before it, a command says how to log in', async () => {
    const ran = await cloud.ips(['status']);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain('ips login --url');
  });

  it('refuses a cloud with another key, one that no CA signed, and no cloud at all', async () => {
    const other = await cloud.ips([
      'login',
      '--url',
      cloud.url,
      '--pin',
      `sha256/${'A'.repeat(43)}=`,
      '--token-file',
      cloud.tokenFile,
    ]);
    expect(other.code).toBe(3);
    expect(other.stderr).toMatch(/^error CLOUD_PIN_MISMATCH: .+\n {2}→ .+\n$/);
    const unsigned = await cloud.ips(['login', '--url', cloud.url, '--token-file', cloud.tokenFile]);
    expect(unsigned.code).toBe(3);
    expect(unsigned.stderr).toContain('CLOUD_CERTIFICATE_REFUSED');
    expect(unsigned.stderr).not.toContain('Node');
    const nobody = await cloud.ips([
      'login',
      '--url',
      'https://127.0.0.1:1',
      '--pin',
      cloud.pin,
      '--token-file',
      cloud.tokenFile,
    ]);
    expect(nobody.code).toBe(3);
    expect(nobody.stderr).toContain('CLOUD_UNREACHABLE');
    await expect(stat(config())).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each(['/path', '/?query=1', '/#part'])('refuses an address with %s, before it asks anybody', async (more) => {
    const args = ['login', '--url', `${cloud.url}${more}`, '--pin', cloud.pin, '--token-file', cloud.tokenFile];
    const ran = await cloud.ips(args);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('error USAGE: ');
    await expect(stat(config())).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses an address with a user, and does not repeat the password', async () => {
    const url = cloud.url.replace('//', '//user:Planted-pw@');
    const ran = await cloud.ips(['login', '--url', url, '--pin', cloud.pin, '--token-file', cloud.tokenFile]);
    expect(ran.code).toBe(2);
    expect(ran.stdout + ran.stderr).not.toContain('Planted-pw');
  });

  it('refuses a wrong token, and stores nothing', async () => {
    const ran = await cloud.ips(['login', '--url', cloud.url, '--pin', cloud.pin, '--token-stdin'], 'ips_wrong\n');
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('UNAUTHENTICATED');
    expect(ran.stderr + ran.stdout).not.toContain('ips_wrong');
    await expect(stat(config())).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses a token that is not one word, before it asks anybody', async () => {
    const ran = await cloud.ips(['login', '--url', 'https://127.0.0.1:1', '--token-stdin'], 'ips_one\nips_two\n');
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('error USAGE: ');
    expect(ran.stderr + ran.stdout).not.toContain('ips_');
  });

  it('trusts, unasked, what the system trusts', async () => {
    const home = join(cloud.folder, 'another-home');
    await mkdir(home, { mode: 0o700 });
    const args = ['login', '--url', cloud.url, '--token-file', cloud.tokenFile];
    const system = { SSL_CERT_FILE: join(cloud.folder, 'cloud/tls.pem'), SSL_CERT_DIR: home };
    const ran = await cloud.ips(args, '', { HOME: home, ...system });
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect((await cloud.ips(['status'], '', { HOME: home })).code).toBe(3);
  });

  it('stores address, pin and token for its user alone', async () => {
    await cloud.logIn();
    expect((await stat(config())).mode & 0o777).toBe(0o600);
    expect((await stat(join(config(), '..'))).mode & 0o777).toBe(0o700);
    const token = (await readFile(cloud.tokenFile, 'utf8')).trim();
    expect(JSON.parse(await readFile(config(), 'utf8')).deployments[new URL(cloud.url).host]).toEqual({
      url: cloud.url,
      pins: [cloud.pin],
      token,
    });
    expect(await cloud.must(['status'])).toContain('your role   admin');
  });

  it('takes several deployments, picked by name or host', async () => {
    await cloud.must([
      'login',
      '--url',
      cloud.url,
      '--pin',
      cloud.pin,
      '--token-file',
      cloud.tokenFile,
      '--deployment',
      'eu',
    ]);
    for (const name of ['eu', new URL(cloud.url).hostname, new URL(cloud.url).host])
      expect(JSON.parse(await cloud.must(['status', '--deployment', name, '--json'])).role).toBe('admin');
    const unknown = await cloud.ips(['status', '--deployment', 'us']);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('eu');
    const host = new URL(cloud.url).host;
    expect(await cloud.must(['logout', '--deployment', 'eu'])).toBe(
      `Logged out of eu. The current cloud service is ${host} now.\n`,
    );
    expect((await cloud.ips(['status', '--deployment', 'eu'])).code).toBe(2);
  });

  it('does not use a token that others could have read', async () => {
    await chmod(config(), 0o644);
    const ran = await cloud.ips(['status']);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('FILE_NOT_PRIVATE');
    await chmod(config(), 0o600);
  });
});
