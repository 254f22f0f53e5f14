/** The hives that are made here, without real ones at hand: hivex reads them and finds the merged keys. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { emptyHive } from '../../fixtures/regf.ts';
import { writeHives } from '../../fixtures/sample-hives.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { runTool } from '../../harness/tools.ts';

const inside = temporaryFolder();

describe('an own hive', () => {
  it('is valid when empty', async () => {
    const hive = emptyHive('SYSTEM');
    expect(hive.length).toBe(8192);
    await writeFile(inside('EMPTY'), hive);
    expect(await runTool('hivexsh', ['-d', inside('EMPTY')], { input: 'ls\n' })).toBe('');
    // A wrong checksum must be noticed: hivex is no judge if it takes anything.
    hive.writeUInt8(hive.readUInt8(500) ^ 1, 500);
    await writeFile(inside('BROKEN'), hive);
    await expect(runTool('hivexsh', [inside('BROKEN')], { input: 'ls\n' })).rejects.toThrow();
  });

  it('holds Windows-like keys once they are merged', async () => {
    await mkdir(inside('hives'));
    const names = await writeHives(inside('hives'), { origin: 'minimal', files: [] });
    expect(names.sort()).toEqual(['BCD', 'DEFAULT', 'NTUSER.DAT', 'SAM', 'SECURITY', 'SOFTWARE', 'SYSTEM']);
    for (const name of names) {
      const hive = await readFile(inside(`hives/${name}`));
      // Primary and secondary sequence number: equal on a clean hive.
      expect(hive.readUInt32LE(4)).toBe(hive.readUInt32LE(8));
    }
    const ask = (hive: string, commands: string): Promise<string> =>
      runTool('hivexsh', [inside(`hives/${hive}`)], { input: commands });
    expect(await ask('SYSTEM', 'cd ControlSet001\\Services\\pvscsi\nlsval\n')).toContain(
      '"ImagePath"="System32\\\\drivers\\\\pvscsi.sys"',
    );
    expect(await ask('SYSTEM', 'cd Select\nlsval\n')).toContain('"Current"=dword:00000001');
    expect(await ask('SOFTWARE', 'cd Citrix\\VirtualDesktopAgent\nlsval\n')).toContain(
      'ddc1.lab.example ddc2.lab.example',
    );
  });
});
