import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LOCATION, Site } from '../harness/site.ts';

describe('two connectors in one location', () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.start();
    await mkdir(join(site.folder, 'other'));
    await copyFile(site.disk, join(site.folder, 'other', 'disk.qcow2'));
    const options = { name: 'appliance-2', sourceFolders: [join(site.folder, 'other')] };
    await site.deployment.pairConnector(LOCATION, options);
    await site.deployment.startConnector('appliance-2');
  }, 120_000);
  afterAll(async () => site.stop(), 60_000);

  it('runs the job on the one that has the disk, wherever it was offered first', async () => {
    const job = await site.end(await site.begin({ disk: join(site.folder, 'other', 'disk.qcow2') }));
    expect(job.error).toBeUndefined();
    expect(job.state).toBe('complete');
    expect(job.connector).toBe('appliance-2');
    await site.expectNoTrace(job, ['golden.vhdx']);
  }, 240_000);

  it('fails a job that both decline, with the reason', async () => {
    const job = await site.end(
      await site.begin({ disk: join(site.folder, 'other', 'missing.qcow2'), name: 'missing' }),
    );
    expect(job.state).toBe('failed');
    expect(job.error?.code).toBe('SOURCE_NOT_HERE');
    await site.expectNoTrace(job, ['golden.vhdx']);
  }, 60_000);
});
