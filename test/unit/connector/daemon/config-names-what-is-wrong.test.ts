import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../../../src/connector/config.ts';
import type { SettingsSources } from '../../../../src/lib/settings.ts';

describe('the configuration', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ips-config-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function load(file: unknown, more: Partial<SettingsSources> = {}) {
    const path = join(folder, 'config.json');
    writeFileSync(path, typeof file === 'string' ? file : JSON.stringify(file));
    return loadConfig({ file: path, environment: {}, flags: {}, ...more });
  }

  it('is defaults, then file, then environment, then flags', () => {
    const config = load(
      { slots: 3, log: { level: 'warn', format: 'text' }, qemu: { sourceFolders: ['/images'], deep: { x: 1 } } },
      { environment: { IPS_CONNECTOR_SLOTS: '4', IPS_CONNECTOR_LOG_LEVEL: 'debug' }, flags: { slots: '5' } },
    );
    expect(config).toMatchObject({
      stateFolder: '/var/lib/ips-connector',
      slots: 5,
      platforms: ['qemu'],
      engine: { startTimeoutSeconds: 300 },
      log: { level: 'debug', format: 'text' },
      qemu: { sourceFolders: ['/images'], deep: { x: 1 } },
    });
  });

  it('takes lists and objects from the environment too', () => {
    const environment = { IPS_CONNECTOR_PLATFORMS: 'qemu', IPS_CONNECTOR_QEMU: '{"sourceFolders":["/a"]}' };
    expect(load({}, { environment })).toMatchObject({ platforms: ['qemu'], qemu: { sourceFolders: ['/a'] } });
  });

  const wrong: [string, unknown, RegExp][] = [
    ['unknown settings', { solts: 3, engine: { imagefolder: '/x' } }, /'solts'.*'engine\.imagefolder'/],
    ['a value out of range', { slots: 0 }, /slots/],
    ['a value of another type', { slots: 'many' }, /slots/],
    ['a relative folder', { stateFolder: 'state' }, /stateFolder: must be an absolute path/],
    ['a platform that no release knows', { platforms: ['amiga'] }, /platforms/],
    ['a platform that this release does not serve', { platforms: ['azure'] }, /platforms: this release/],
    ['an unknown log level', { log: { level: 'loud' } }, /log\.level/],
    ['a file that is not JSON', '{', /does not hold a JSON object/],
    ['a file that is no object', [], /does not hold a JSON object/],
  ];
  for (const [what, file, message] of wrong) {
    it(`refuses ${what}, naming it`, () => {
      expect(() => load(file)).toThrow(message);
      expect(() => load(file)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    });
  }

  it('refuses a file that was named and is not there', () => {
    const load = () => loadConfig({ file: join(folder, 'none.json'), environment: {}, flags: {} });
    expect(load).toThrow(/none\.json cannot be read/);
  });
});
