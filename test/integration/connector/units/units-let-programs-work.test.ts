/** The units confine their programs, and let them do what they must. */
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { tryTool } from '../../../harness/tools.ts';
import { allowedCalls, filterMissing, hasAnalyze, runUnder, UNITS, valuesOf } from './unit-file.ts';

const SOURCE = join(import.meta.dirname, '../../../../src');
const QEMU = '/usr/bin/qemu-system-x86_64';
/** The sandbox that engines run in, and a machine with nothing in it. */
const SANDBOXED = ['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'];
const EMPTY = ['-machine', 'none', '-display', 'none', '-monitor', 'stdio'];

const withAnalyze = hasAnalyze ? it : it.skip;
const underFilter = filterMissing === undefined ? it : it.skip;
const why = filterMissing === undefined ? '' : ` (skipped: there is no ${filterMissing})`;

describe.each(['ips-connector.service', 'ips-cloud.service'])('%s', (unit) => {
  withAnalyze(`is confined${hasAnalyze ? '' : ' (skipped: systemd-analyze is not installed)'}`, async () => {
    // Exposure as systemd counts it, in tenths: 0 to 100.
    const args = ['security', '--offline=true', '--threshold=25', '--no-pager', join(UNITS, unit)];
    const { code, stdout, stderr } = await tryTool('systemd-analyze', args);
    expect({ code, said: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, said: '' });
  });
});

describe('the connector', () => {
  it("is allowed what QEMU's sandbox is made with, whatever systemd's set holds", () => {
    expect(valuesOf('ips-connector.service', 'SystemCallFilter')).toEqual(['@system-service seccomp']);
  });

  underFilter(
    `starts engines under its filter${why}`,
    async () => {
      const allowed = await allowedCalls('ips-connector.service');
      const start = () => runUnder(allowed, QEMU, [...SANDBOXED, ...EMPTY], 'quit\n');
      expect(await start()).toMatchObject({ code: 0, stderr: '' });
      allowed.delete('seccomp');
      expect((await start()).code).toBe(1);
    },
    60_000,
  );
});

describe('the cloud service', () => {
  it('prints no token into the log', () => {
    const starts = valuesOf('ips-cloud.service', 'ExecStart');
    expect(starts).toEqual([expect.stringContaining(' --admin-token-file /var/lib/ips-cloud/admin-token')]);
  });
});

describe.each(['connector', 'cloud'])('the program %s', (program) => {
  underFilter(
    `starts under the filter of its unit${why}`,
    async () => {
      const allowed = await allowedCalls(`ips-${program}.service`);
      const main = join(SOURCE, program, 'main.ts');
      expect(await runUnder(allowed, process.execPath, [main, '--version'])).toMatchObject({ code: 0, stderr: '' });
    },
    60_000,
  );
});
