import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Deployment } from '../harness/deployment.ts';

describe('pairing', () => {
  let deployment: Deployment;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ips-pair-'));
    deployment = await Deployment.start(folder);
    await deployment.mustRun(['location', 'create', 'lab']);
  }, 60_000);
  afterAll(async () => {
    await deployment.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  async function newCode(): Promise<string> {
    return (await deployment.json<{ code: string }>(['connector', 'pair', '--location', 'lab'])).code;
  }

  async function pair(name: string, code: string, pin = deployment.pin) {
    await deployment.configureConnector({ name, sourceFolders: ['/'] });
    const args = ['pair', '--cloud', deployment.url, '--pin', pin, '--code', code, '--name', name];
    return await deployment.connectorCommand(name, args);
  }

  it('with a code makes an appliance a connector whose keys only it can read', async () => {
    const run = await pair('by-code', await newCode());
    expect(run.stderr).toBe('');
    expect(run.code).toBe(0);
    await deployment.startConnector('by-code');
    for (const file of ['sign.key', 'seal.key', 'engine.secret']) {
      const { mode } = await stat(join(folder, 'by-code', file));
      expect([file, (mode & 0o777).toString(8)]).toEqual([file, '600']);
    }
  }, 60_000);

  it('the other way round: the appliance shows a code, an operator confirms it', async () => {
    await deployment.configureConnector({ name: 'by-claim', sourceFolders: ['/'] });
    const program = resolve(import.meta.dirname, '../../dist/ips-connector');
    const args = [
      'pair',
      '--config',
      join(folder, 'by-claim.json'),
      '--cloud',
      deployment.url,
      '--pin',
      deployment.pin,
    ];
    const child = spawn(program, [...args, '--name', 'by-claim']);
    let shown = '';
    child.stdout.on('data', (chunk) => {
      shown += chunk;
    });
    const code = await new Promise<string>((found, lost) => {
      child.stdout.on('data', () => {
        const match = /\b[A-Z2-9]{4}-[A-Z2-9]{4}\b/.exec(shown);
        if (match) found(match[0]);
      });
      child.once('exit', () => lost(new Error(shown)));
    });
    const pending = await deployment.json<{ code: string; fingerprint: string }[]>(['connector', 'pending']);
    const waiting = pending.find((each) => each.code === code);
    // The operator compares what the cloud knows with what the appliance shows.
    expect(shown).toContain(waiting?.fingerprint ?? 'no fingerprint');
    await deployment.mustRun(['connector', 'confirm', code, '--location', 'lab']);
    expect(await new Promise((ended) => child.once('exit', ended))).toBe(0);
    await deployment.startConnector('by-claim');
  }, 60_000);

  it('refuses each mistake with its own error and what to do', async () => {
    const used = await newCode();
    expect((await pair('first', used)).code).toBe(0);
    const cases = [
      ['second', used, deployment.pin, 'PAIRING_CODE_USED'],
      ['second', 'ABCD-EFGH', deployment.pin, 'PAIRING_CODE_UNKNOWN'],
      ['first', await newCode(), deployment.pin, 'ALREADY_PAIRED'],
      ['second', await newCode(), `sha256/${Buffer.alloc(32, 7).toString('base64')}`, 'CLOUD_PIN_MISMATCH'],
    ] as const;
    for (const [name, code, pin, error] of cases) {
      const run = await pair(name, code, pin);
      expect([error, run.code === 0]).toEqual([error, false]);
      expect(run.stderr).toContain(error);
      expect(run.stderr.trim().split('\n').length).toBeGreaterThan(1);
    }
    // None of the refused tries has left keys behind that would make the next one fail.
    expect((await pair('second', await newCode())).code).toBe(0);
  }, 60_000);

  it('leaves no code and no key in any log', async () => {
    const log = (await deployment.log('cloud')) + (await readFile(join(folder, 'by-code.log'), 'utf8'));
    expect(log).not.toMatch(/\b[A-Z2-9]{4}-[A-Z2-9]{4}\b/);
    expect(log).not.toContain('PRIVATE KEY');
  });
});
