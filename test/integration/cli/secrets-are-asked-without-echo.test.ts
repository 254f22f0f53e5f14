import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CliCloud, IPS } from './cloud.ts';

// Each command is a process of its own, on a machine that may be busy.
jest.setTimeout(120_000);

const PASSWORD = 'Never-shown-9';

describe('a password that is asked for', () => {
  let cloud: CliCloud;
  beforeAll(async () => {
    cloud = await CliCloud.start();
    await cloud.logIn();
  });
  afterAll(async () => cloud.stop());
  // The name stands last: an option takes one value and leaves it.
  const set = ['credential', 'set', '--username', 'u', '--allow', 'smb://h/s', '--allow', 'smb://other', 'files'];

  /** Runs the command at a terminal of its own (script(1)) and types `keys` once it asks. */
  async function atTerminal(keys: string): Promise<{ code: number; shown: string }> {
    const line = [process.execPath, IPS, ...set].map((part) => `'${part}'`).join(' ');
    const child = spawn('script', ['-qec', line, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: cloud.environment,
    });
    let shown = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (!shown.includes('Password: ') && (shown + text).includes('Password: ')) child.stdin.write(keys);
      shown += text;
    });
    const [code] = await once(child, 'close');
    return { code, shown };
  }

  it('is not shown while it is typed, and is stored', async () => {
    const { code, shown } = await atTerminal(`${PASSWORD}\r`);
    expect({ code, shown }).toMatchObject({ code: 0, shown: expect.stringContaining('Stored files, version 1') });
    expect(shown).not.toContain('Never');
  });

  it('can be refused with Ctrl-C and with Ctrl-D, and nothing is stored', async () => {
    expect((await atTerminal('half\u0003')).code).toBe(130);
    expect((await atTerminal('\u0004')).code).toBe(2);
    expect(JSON.parse(await cloud.must(['credential', 'list', '--json']))).toMatchObject([{ version: 1 }]);
  });

  it('is not guessed where there is no terminal', async () => {
    const ran = await cloud.ips(set);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('--password-file or --password-stdin');
  });

  it('may come from standard input but not be empty', async () => {
    expect((await cloud.ips([...set, '--password-stdin'], '\n')).code).toBe(2);
    expect((await cloud.ips([...set, '--password-stdin'], `${PASSWORD}\n`)).code).toBe(0);
    expect((await cloud.ips([...set, '--password-file', '/no/such/file'])).code).toBe(2);
  });

  it('cannot be given on the command line', async () => {
    const ran = await cloud.ips([...set, '--password', PASSWORD]);
    expect(ran.code).toBe(2);
  });
});
