import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { IPS } from './cloud.ts';

// Each command is a process of its own, on a machine that may be busy.
jest.setTimeout(120_000);

/** What the command below ends with when somebody reads what it says. */
const NOT_LOGGED_IN = 2;

describe('the exit code', () => {
  let home: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'ips-closed-'));
  });
  afterAll(async () => rm(home, { recursive: true, force: true }));

  /** A command that fails, and writes to both sides, whose readers go away before it says a word. */
  async function exitCode(close: (child: ChildProcess) => void): Promise<number | null> {
    const child = spawn(process.execPath, [IPS, 'status', '--json'], {
      env: { ...process.env, HOME: home, XDG_CONFIG_HOME: '', NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    close(child);
    const [code] = await once(child, 'exit');
    return code;
  }

  it('is true when nobody reads standard error', async () => {
    expect(await exitCode(({ stderr }) => stderr?.destroy())).toBe(NOT_LOGGED_IN);
  });

  it('is true when nobody reads standard output', async () => {
    expect(await exitCode(({ stdout }) => stdout?.destroy())).toBe(NOT_LOGGED_IN);
  });

  it('is true when nobody reads either', async () => {
    const both = ({ stdout, stderr }: ChildProcess) => {
      stdout?.destroy();
      stderr?.destroy();
    };
    expect(await exitCode(both)).toBe(NOT_LOGGED_IN);
  });
});
