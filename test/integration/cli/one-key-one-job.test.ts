import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CliCloud } from './cloud.ts';

// Each command is a process of its own, on a machine that may be busy.
jest.setTimeout(120_000);

describe('ips export', () => {
  let cloud: CliCloud;
  beforeAll(async () => {
    cloud = await CliCloud.start();
    await cloud.logIn();
    await cloud.prepareJobs();
  });
  afterAll(async () => cloud.stop());

  const start = (name: string, more: readonly string[] = []) =>
    cloud.ips([
      ...['export', 'qemu', '--location', 'london', '--disk', '/d.qcow2', '--to', 'smb://h/s', '--name', name],
      ...['--credential', 'files', '--no-wait', '--json', ...more],
    ]);

  it('with the same key twice starts one job', async () => {
    const first = await start('keyed', ['--idempotency-key', 'my-key']);
    const second = await start('keyed', ['--idempotency-key', 'my-key']);
    expect(JSON.parse(second.stdout).id).toBe(JSON.parse(first.stdout).id);
  });

  it('to a target that a live job writes is refused, and the other job is named', async () => {
    const first = JSON.parse((await start('busy')).stdout);
    const second = await start('busy');
    expect(second.code).toBe(1);
    expect(second.stderr).toContain('TARGET_BUSY');
    expect(second.stderr).toContain(first.id);
  });

  it('hands on its limits, its note and the format of the disk', async () => {
    const more = ['--timeout', '4h', '--queue-timeout', '90s', '--cleanup-timeout', '1h30m', '--note', 'nightly'];
    const job = JSON.parse((await start('limits', [...more, '--disk-format', 'raw', '--format', 'vhd'])).stdout);
    expect(job).toMatchObject({
      limits: { timeoutSeconds: 14_400, queueTimeoutSeconds: 90, cleanupTimeoutSeconds: 5_400 },
      note: 'nightly',
      parameters: { source: { format: 'raw' }, target: { format: 'vhd' }, dryRun: false },
    });
  });

  it('refuses before it asks anybody: a duration, a format, a missing option', async () => {
    for (const more of [
      ['--timeout', 'soon'],
      ['--format', 'iso'],
      ['--disk-format', 'iso'],
    ])
      expect((await start('wrong', more)).code).toBe(2);
    expect((await cloud.ips(['export', 'qemu', '--location', 'london'])).code).toBe(2);
  });

  it('with a location on the share that is none is refused by the cloud, naming the field', async () => {
    const ran = await start('wrong', ['--to', 'smb://u:p@h/s']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/REQUEST_INVALID.*location/);
  });
});
