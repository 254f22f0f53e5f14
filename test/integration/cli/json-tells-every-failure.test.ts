import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { tryTool } from '../../harness/tools.ts';
import { IPS } from './cloud.ts';

// Each command is a process of its own, on a machine that may be busy.
jest.setTimeout(120_000);

describe('--json', () => {
  let home: string;
  const environment = () => ({ ...process.env, HOME: home, XDG_CONFIG_HOME: '', NODE_OPTIONS: '' });
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'ips-json-'));
  });
  afterAll(async () => rm(home, { recursive: true, force: true }));

  it.each([
    [
      'a CA that is none',
      ['login', '--url', 'https://h', '--ca', '/etc/hostname', '--json'],
      'USAGE',
      'no PEM certificate',
    ],
    ['a missing option', ['connector', 'pair', '--json'], 'USAGE', "'--location <name>' not specified"],
    ['an unknown option', ['job', 'list', '--sate', 'queued', '--json'], 'USAGE', "Unknown option '--sate'"],
    ['an unknown command', ['jbo', '--json'], 'USAGE', "Unknown command 'jbo' (Did you mean job?)"],
    ['a missing argument', ['--json', 'job', 'show'], 'USAGE', "Missing required argument 'id'."],
    ['a missing command', ['--json', 'job'], 'USAGE', 'A command is missing.'],
    ['a value that is none of the choices', ['job', 'list', '--state', 'odd', '--json'], 'USAGE', 'Allowed choices'],
    ['a limit that is no number', ['job', 'list', '--limit', 'abc', '--json'], 'USAGE', '"abc"'],
    ['a limit of none', ['audit', '--limit', '0', '--json'], 'USAGE', '"0"'],
    ['nobody who is logged in', ['status', '--json'], 'NOT_LOGGED_IN', 'Nobody is logged in'],
    ['a deployment that is none', ['status', '--deployment', 'us', '--json'], 'NOT_LOGGED_IN', '"us"'],
  ])('of %s is an error, which standard error tells as well', async (_, args, code, message) => {
    const ran = await tryTool(process.execPath, [IPS, ...args], { env: environment() });
    expect(JSON.parse(ran.stdout)).toEqual({
      error: { code, message: expect.stringContaining(message), hint: expect.any(String) },
    });
    expect(ran.stderr).toContain(`error ${code}: `);
    expect(ran.stderr).toContain('\n  → ');
    // And tells it once: commander has words of its own.
    expect(ran.stderr.match(/^error/gm)).toHaveLength(1);
    expect(ran.code).toBe(2);
  });

  it('shows no control characters of what was asked for, on either side', async () => {
    const args = ['status', '--deployment', 'us\u001b[31m\u202e', '--json'];
    const ran = await tryTool(process.execPath, [IPS, ...args], { env: environment() });
    expect(JSON.parse(ran.stdout).error.message).toContain('us\u001b[31m\u202e');
    for (const control of ['\u001b', '\u202e']) expect(ran.stdout + ran.stderr).not.toContain(control);
    expect(ran.stderr).toContain('"us[31m"');
  });

  it('does not change help, which is no failure', async () => {
    const ran = await tryTool(process.execPath, [IPS, 'job', '--help', '--json'], { env: environment() });
    expect(ran).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('Usage: ips job') });
  });

  it('of a command that Ctrl-C ended is an error', async () => {
    const silent = createServer();
    const reached = once(silent, 'connection');
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const child = spawn(process.execPath, [IPS, 'login', '--url', url, '--token-stdin', '--json'], {
      env: environment(),
      stdio: 'pipe',
    });
    child.stdin.end('token\n');
    const output = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    const [socket] = await reached;
    child.kill('SIGINT');
    const [stdout, stderr, [code]] = await output;
    socket.destroy();
    silent.close();
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'INTERRUPTED' } });
    expect(stderr).toContain('error INTERRUPTED: ');
  });
});
