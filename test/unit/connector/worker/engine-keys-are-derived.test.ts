/** Engine keys follow from secret, job, token and label, and from nothing else; the secret's file is private. */
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { engineKey, engineSecret, fileIdentity } from '../../../../src/connector/engine-keys.ts';
import { Doors } from '../../../../src/lib/doors.ts';
import { Files } from '../../../../src/lib/files.ts';
import { systemRandom } from '../../../../src/lib/random.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ips-keys-'));
});
afterEach(() => rm(folder, { recursive: true }));

const load = () => engineSecret(join(folder, 'engine.secret'), new Files(new Doors()), systemRandom());

it('gives the same key again, and another one for anything else', () => {
  const secret = Buffer.alloc(32, 1);
  const key = engineKey(secret, 'job-1', '1.1', 'boot');
  expect(key).toHaveLength(32);
  expect(engineKey(Buffer.alloc(32, 1), 'job-1', '1.1', 'boot')).toEqual(key);
  const others = [
    engineKey(Buffer.alloc(32, 2), 'job-1', '1.1', 'boot'),
    engineKey(secret, 'job-2', '1.1', 'boot'),
    engineKey(secret, 'job-1', '1.2', 'boot'),
    engineKey(secret, 'job-1', '1.1', 'session'),
  ];
  expect(new Set([key, ...others].map((bytes) => bytes.toString('hex'))).size).toBe(5);
});

it('marks files by job and token', () => {
  expect(fileIdentity('job-1', '1.1')).toMatch(/^[0-9a-f]{32}$/);
  expect(fileIdentity('job-1', '1.1')).toBe(fileIdentity('job-1', '1.1'));
  expect(fileIdentity('job-1', '1.2')).not.toBe(fileIdentity('job-1', '1.1'));
});

it('makes the secret once, private, and all who come at the same time get the same', async () => {
  const secrets = await Promise.all([load(), load(), load()]);
  const text = (await readFile(join(folder, 'engine.secret'), 'utf8')).trim();
  expect(text).toMatch(/^[0-9a-f]{64}$/);
  expect(secrets.map((secret) => secret.toString('hex'))).toEqual([text, text, text]);
  expect((await stat(join(folder, 'engine.secret'))).mode & 0o777).toBe(0o600);
});

it('refuses a secret that others can read, and one that is none', async () => {
  await load();
  await chmod(join(folder, 'engine.secret'), 0o640);
  await expect(load()).rejects.toMatchObject({ code: 'FILE_NOT_PRIVATE' });
  await rm(join(folder, 'engine.secret'));
  await writeFile(join(folder, 'engine.secret'), 'short', { mode: 0o600 });
  await expect(load()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});
