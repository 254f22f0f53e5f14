/** `ips-connector status` shows the jobs of the journal, and makes, migrates and changes nothing. */
import { execFile } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { JOB, LIMITS, PARAMETERS } from '../../../unit/connector/daemon/doubles.ts';
import { Appliance } from './appliance.ts';

const MAIN = join(import.meta.dirname, '../../../../src/connector/main.ts');

describe('the status of an appliance', () => {
  let appliance: Appliance;
  beforeEach(async () => {
    appliance = new Appliance();
    await appliance.pairWith(new URL('https://cloud.test/'), { kind: 'ca' });
  });
  afterEach(async () => await appliance.remove());

  async function status(): Promise<string> {
    const args = [MAIN, 'status', '--state-folder', appliance.paths.folder];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: '' } });
    return stdout;
  }

  it('that never ran has no jobs, and still no journal', async () => {
    const before = readdirSync(appliance.paths.folder);
    expect(await status()).toMatch(/^jobs +none$/m);
    expect(readdirSync(appliance.paths.folder)).toEqual(before);
  }, 30_000);

  it('has its jobs, also of a release that knows the journal otherwise', async () => {
    await appliance.withJournal((journal) => {
      const acceptedAt = { bootId: 'boot', ms: 0 };
      journal.accept({ ...JOB, parameters: PARAMETERS, limits: LIMITS, acceptedAt }, 'con-1');
      journal.database.exec('PRAGMA user_version = 99');
    });
    chmodSync(appliance.paths.journal, 0o400);
    expect(await status()).toMatch(/^jobs +job-1 {2}1\.1 {2}running$/m);
  }, 30_000);
});
