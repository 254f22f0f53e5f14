import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tryTool } from '../harness/tools.ts';

const PROGRAMS = ['ips-cloud', 'ips-connector', 'ips'];

describe('the single-file programs', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ips-node-'));
    await writeFile(join(folder, 'node'), '#!/bin/sh\necho v20.20.2\n');
    await chmod(join(folder, 'node'), 0o755);
  });
  afterAll(async () => rm(folder, { recursive: true, force: true }));

  it.each(PROGRAMS)('%s says which Node it needs when it finds an older one', async (name) => {
    const env = { ...process.env, PATH: `${folder}:/usr/bin:/bin` };
    const run = await tryTool(resolve('dist', name), ['--version'], { env });
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toBe(`${name} needs Node 24 or newer in the PATH; found: v20.20.2\n`);
  });

  it.each(PROGRAMS)('%s runs from any folder, alone', async (name) => {
    const run = await tryTool(resolve('dist', name), ['--version']);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
