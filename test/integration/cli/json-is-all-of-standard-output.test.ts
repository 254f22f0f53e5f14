import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CliCloud } from './cloud.ts';

// Each command is a process of its own, on a machine that may be busy.
jest.setTimeout(120_000);

describe('--json', () => {
  let cloud: CliCloud;
  beforeAll(async () => {
    cloud = await CliCloud.start();
    await cloud.logIn();
    await cloud.prepareJobs();
    await cloud.queueJob();
  });
  afterAll(async () => cloud.stop());

  it.each([
    ['status'],
    ['location', 'list'],
    ['connector', 'list'],
    ['connector', 'pending'],
    ['connector', 'pair', '--location', 'london'],
    ['credential', 'list'],
    ['token', 'list'],
    ['token', 'create', 'viewer', '--role', 'viewer'],
    ['job', 'list'],
    ['job', 'list', '--state', 'queued'],
    ['audit', '--limit', '3'],
  ])('of %s %s is one document', async (...args) => {
    const ran = await cloud.ips([...args.filter((arg) => arg !== undefined), '--json']);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(typeof JSON.parse(ran.stdout)).toBe('object');
  });

  it('of the appliances with one code, which the cloud service must understand, is one document', async () => {
    expect(JSON.parse(await cloud.must(['connector', 'pending', '--code', 'K7MP-2QXT', '--json']))).toEqual([]);
    const ran = await cloud.ips(['connector', 'pending', '--code', 'none', '--json']);
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code: 'REQUEST_INVALID' } });
  });

  it('stands before the command too', async () => {
    expect(JSON.parse(await cloud.must(['--json', 'status'])).role).toBe('admin');
  });

  it('of a failure is the error, which standard error tells as well', async () => {
    const ran = await cloud.ips(['job', 'show', 'job-0000000000000000', '--json']);
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code: 'NOT_FOUND', hint: expect.any(String) } });
    expect(ran.stderr).toContain('error NOT_FOUND: ');
  });

  it('of commands that have nothing to say is a document as well', async () => {
    await cloud.must(['location', 'create', 'paris']);
    expect(JSON.parse(await cloud.must(['location', 'delete', 'paris', '--json']))).toEqual({});
    await cloud.must(['credential', 'set', 'old', '--username', 'u', '--allow', 'smb://h', '--password-stdin'], 'x\n');
    expect(JSON.parse(await cloud.must(['credential', 'delete', 'old', '--json']))).toEqual({});
  });
});
