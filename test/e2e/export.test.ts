import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PASSWORD, Site, USER } from '../harness/site.ts';
import { smbclientList } from '../harness/smbclient.ts';
import { runTool } from '../harness/tools.ts';

describe('an export through a booted engine', () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.start();
  }, 120_000);
  afterAll(async () => site.stop(), 60_000);

  for (const [format, qemuName] of [
    ['vhdx', 'vhdx'],
    ['vhd', 'vpc'],
  ] as const) {
    it(`puts a verified ${format} on the share, and qemu-img agrees`, async () => {
      const job = await site.end(await site.begin({ name: `golden-${format}`, more: ['--format', format] }));
      expect(job.error).toBeUndefined();
      expect(job.state).toBe('complete');
      const name = `golden-${format}.${format}`;
      const file = join(site.share, name);
      if (format === 'vhdx') await runTool('qemu-img', ['check', '-f', qemuName, file]);
      const compared = await runTool('qemu-img', ['compare', '-f', 'qcow2', '-F', qemuName, site.disk, file]);
      expect(compared).toContain('Images are identical');

      const result = job.result?.export;
      expect(result?.file).toBe(name);
      const info = JSON.parse(await runTool('qemu-img', ['info', '--output=json', '-f', 'qcow2', site.disk]));
      expect(result?.virtualSize).toBe(info['virtual-size']);
      expect(result?.hashes.map(({ scope }) => scope)).toContain('copy');
      expect(result?.bytesWritten).toBeLessThan(result?.virtualSize ?? 0);
      expect(job.overallProgressPercent).toBe(100);

      const server = { host: site.samba.host, port: site.samba.port, share: 'images', user: USER, password: PASSWORD };
      const entry = (await smbclientList(server)).find((each) => each.name === name);
      // Windows refuses to attach a sparse VHDX: the attribute must not be set on the server.
      expect(entry?.attributes).not.toContain('s');
      expect(entry?.bytes).toBe(result?.fileSize);
      const files = format === 'vhd' ? ['golden-vhd.vhd', 'golden-vhdx.vhdx'] : [name];
      await site.expectNoTrace(job, files);
    }, 240_000);
  }

  it('gives both formats the same content hash', async () => {
    const jobs = await site.deployment.json<{ result?: { export?: { hashes: { value: string }[] } } }[]>([
      'job',
      'list',
    ]);
    const values = new Set(jobs.map((job) => job.result?.export?.hashes[0]?.value));
    expect(values.size).toBe(1);
    expect([...values][0]).toMatch(/^[0-9a-f]{64}$/);
  });
});
