import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectFailure, Site } from '../harness/site.ts';

/** A stand-in for the hypervisor's program: what the connector starts instead of QEMU. */
async function standIn(folder: string, name: string, script: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, script);
  await chmod(file, 0o755);
  return file;
}

describe('an engine that is not what it should be', () => {
  let scripts: string;
  beforeAll(async () => {
    scripts = await mkdtemp(join(tmpdir(), 'ips-standin-'));
  });
  afterAll(async () => rm(scripts, { recursive: true, force: true }));

  it('never answers: a virtual machine whose processor stands still', async () => {
    const binary = await standIn(scripts, 'qemu-stopped', '#!/bin/sh\nexec qemu-system-x86_64 "$@" -S\n');
    const site = await Site.start({ connector: { qemu: { binary }, settings: startTimeout(10) } });
    try {
      const job = await site.end(await site.begin());
      expectFailure(job, 'ENGINE_UNREACHABLE');
      await site.expectNoTrace(job);
    } finally {
      await site.stop();
    }
  }, 180_000);

  it('is cancelled while it is started', async () => {
    // It begins late, so that the cancel comes before there is a virtual machine. (Perl sleeps without a child.)
    const binary = await standIn(
      scripts,
      'qemu-late',
      '#!/usr/bin/perl\nsleep 6;\nexec "qemu-system-x86_64", @ARGV;\n',
    );
    const site = await Site.start({ connector: { qemu: { binary } } });
    try {
      const id = await site.begin();
      await site.waitFor(id, (job) => job.step === 'startEngine');
      await site.deployment.mustRun(['job', 'cancel', id]);
      const job = await site.end(id);
      expect(job).toMatchObject({ state: 'cancelled', error: { code: 'JOB_CANCELLED' } });
      await site.expectNoTrace(job);
    } finally {
      await site.stop();
    }
  }, 180_000);

  it('is an impostor: something else answers on its port, and gets not one byte of ours', async () => {
    const record = join(scripts, 'received');
    const impostor = resolve(import.meta.dirname, '../doubles/engine-impostor.ts');
    const script = `#!/bin/sh\nexec "${process.execPath}" "${impostor}" "${record}" "$@"\n`;
    const binary = await standIn(scripts, 'qemu-impostor', script);
    const site = await Site.start({ connector: { qemu: { binary }, settings: startTimeout(20) } });
    try {
      const job = await site.end(await site.begin());
      expectFailure(job, 'ENGINE_IMPOSTOR');
      const received = JSON.parse(await readFile(record, 'utf8'));
      expect(received.connections).toBeGreaterThan(0);
      expect(received.applicationBytes).toBe(0);
      await site.expectNoTrace(job);
    } finally {
      await site.stop();
    }
  }, 180_000);
});

function startTimeout(seconds: number): Record<string, unknown> {
  return { engine: { imageFolder: resolve(import.meta.dirname, '../../build/engine'), startTimeoutSeconds: seconds } };
}
