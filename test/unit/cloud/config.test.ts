import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../../src/cloud/config.ts';

describe('the configuration of ips-cloud', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ips-config-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function load(file: unknown, environment: Record<string, string> = {}, flags: Record<string, string> = {}) {
    const path = join(folder, 'config.json');
    await writeFile(path, JSON.stringify(file));
    return loadConfig({ file: path, environment, flags });
  }

  it('takes a flag before the environment, that before the file, and that before the default', async () => {
    const file = { listen: { port: 1 }, customer: 'file', leaseTtlMs: 5000 };
    const environment = { IPS_CLOUD_LISTEN_PORT: '2', IPS_CLOUD_CUSTOMER: 'environment' };
    const config = await load(file, environment, { 'listen-port': '3' });
    expect(config).toMatchObject({
      listen: { address: '0.0.0.0', port: 3 },
      customer: 'environment',
      leaseTtlMs: 5000,
      leaseGraceMs: 30_000,
    });
  });

  it.each([
    ['an unknown setting', { lisen: {} }, 'lisen'],
    ['a port out of range', { listen: { port: 70_000 } }, 'listen.port'],
    ['a relative folder', { dataFolder: 'data' }, 'dataFolder'],
    ['a certificate without its key', { tls: { certificateFile: '/a.pem' } }, 'belong together'],
    ['something else than an object', [], 'JSON object'],
  ])('refuses %s and names it', async (_what, file, name) => {
    await expect(load(file)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(name) });
  });
});
