import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CuttableProxy } from '../harness/cuttable-proxy.ts';
import { CONNECTOR, LOCATION, Site } from '../harness/site.ts';

describe('a link that drops', () => {
  let site: Site;
  let proxy: CuttableProxy;
  beforeAll(async () => {
    site = await Site.start({ withoutConnector: true });
    const cloud = new URL(site.deployment.url);
    proxy = await CuttableProxy.start({ host: cloud.hostname, port: Number(cloud.port) });
    await site.deployment.pairConnector(LOCATION, { name: CONNECTOR, sourceFolders: [join(site.disk, '..')] });
    // The appliance reaches the cloud through the proxy; the pin is the cloud's own.
    const record = join(site.deployment.folder, CONNECTOR, 'pairing.json');
    const pairing = await readFile(record, 'utf8');
    await writeFile(record, pairing.replaceAll(site.deployment.url, `https://127.0.0.1:${proxy.port}`));
    await site.deployment.startConnector(CONNECTOR);
  }, 120_000);
  afterAll(async () => {
    await proxy.stop();
    await site.stop();
  }, 60_000);

  it('is dialled again, and the running job goes on with a whole history', async () => {
    const id = await site.begin();
    await site.waitFor(id, (job) => job.step === 'copy');
    proxy.cut();
    await sleep(3_000);
    proxy.mend();
    const job = await site.end(id);
    expect(job.error).toBeUndefined();
    expect(job.state).toBe('complete');
    await expectWholeHistory(site, id);
    await site.expectNoTrace(job, ['golden.vhdx']);
  }, 240_000);

  it('may drop because the cloud was killed: the job is not lost', async () => {
    const id = await site.begin({ name: 'second' });
    await site.waitFor(id, (job) => job.step === 'copy');
    await site.deployment.cloud.stop('SIGKILL');
    await sleep(2_000);
    await site.deployment.restartCloud();
    const job = await site.end(id);
    expect(job.error).toBeUndefined();
    expect(job.state).toBe('complete');
    await expectWholeHistory(site, id);
  }, 240_000);
});

/** The writer's numbers count from 1 without a gap or a repeat, and there was one engine only. */
async function expectWholeHistory(site: Site, id: string): Promise<void> {
  const events = await site.events(id);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  const copies = events.filter(({ body }) => body.kind === 'step' && body.step === 'copy');
  expect(copies).toHaveLength(1);
}
