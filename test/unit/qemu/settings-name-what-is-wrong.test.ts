import { describe, expect, it } from '@jest/globals';
import { parseSettings } from '../../../providers/qemu/settings.ts';
import { isIpsError } from '../../../src/protocol/errors.ts';

describe('the settings of the qemu provider', () => {
  it('have defaults for all but the folders', () => {
    expect(parseSettings({ sourceFolders: ['/srv/images'], engineImageFolder: '/usr/lib/ips/engine' })).toEqual({
      sourceFolders: ['/srv/images'],
      engineImageFolder: '/usr/lib/ips/engine',
      memoryMiB: 1024,
      cpus: 2,
      binary: 'qemu-system-x86_64',
      accelerator: 'auto',
    });
  });

  it.each([
    ['qemu.sourceFolders', { engineImageFolder: '/e' }],
    ['qemu.sourceFolders.0', { sourceFolders: ['images'], engineImageFolder: '/e' }],
    ['qemu.memoryMiB', { sourceFolders: ['/i'], engineImageFolder: '/e', memoryMiB: '1 GiB' }],
    ['surprise', { sourceFolders: ['/i'], engineImageFolder: '/e', surprise: 1 }],
  ])('name %s when it does not fit', (name, settings) => {
    try {
      parseSettings(settings);
    } catch (error) {
      expect(isIpsError(error) && error.code).toBe('CONFIG_INVALID');
      expect(String(error)).toContain(name);
      return;
    }
    throw new Error('it was taken');
  });
});
