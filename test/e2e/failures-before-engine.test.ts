import { spawn } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectFailure, LOCATION, Site } from '../harness/site.ts';
import { runTool, tryTool } from '../harness/tools.ts';

describe('what is wrong before an engine is needed', () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.start();
    await site.setCredential('wrong', 'not-the-password');
    await site.setCredential('elsewhere', 'never-sent', 'smb://files.example');
  }, 120_000);
  afterAll(async () => site.stop(), 60_000);

  it('a wrong SMB password', async () => {
    const job = await site.end(await site.begin({ credential: 'wrong' }));
    expectFailure(job, 'SMB_LOGON_FAILED');
    await site.expectNoTrace(job);
  });

  it('an unknown share', async () => {
    const job = await site.end(await site.begin({ to: site.target('nowhere') }));
    expectFailure(job, 'SMB_SHARE_NOT_FOUND');
    await site.expectNoTrace(job);
  });

  it('an unknown folder of the share', async () => {
    const job = await site.end(await site.begin({ to: site.target('images', 'no/such') }));
    expectFailure(job, 'SMB_FOLDER_NOT_FOUND');
    await site.expectNoTrace(job);
  });

  it('a target that exists keeps its bytes', async () => {
    await writeFile(join(site.share, 'taken.vhdx'), 'somebody else');
    const job = await site.end(await site.begin({ name: 'taken' }));
    expectFailure(job, 'TARGET_EXISTS');
    await site.expectNoTrace(job, ['taken.vhdx']);
    expect(await readFile(join(site.share, 'taken.vhdx'), 'utf8')).toBe('somebody else');
  });

  it('a missing source disk', async () => {
    const job = await site.end(await site.begin({ disk: join(site.sourceFolder, 'missing.qcow2') }));
    expectFailure(job, 'SOURCE_NOT_HERE');
    await site.expectNoTrace(job, ['taken.vhdx']);
  });

  it('a source that a running virtual machine has open', async () => {
    const disk = join(site.sourceFolder, 'running.qcow2');
    await copyFile(site.disk, disk);
    const machine = ['-machine', 'none', '-accel', 'tcg', '-nodefaults', '-display', 'none', '-S'];
    const running = spawn(
      'qemu-system-x86_64',
      [...machine, '-blockdev', `driver=qcow2,node-name=d,file.driver=file,file.filename=${disk}`],
      {
        stdio: 'ignore',
      },
    );
    const ended = new Promise((done) => running.once('exit', done));
    try {
      // The lock is there when another opening is refused.
      const isLocked = async () => (await tryTool('qemu-img', ['info', '-f', 'qcow2', disk])).code !== 0;
      while (!(await isLocked())) {
        expect(running.exitCode).toBeNull();
        await sleep(50);
      }
      const job = await site.end(await site.begin({ disk }));
      expectFailure(job, 'SOURCE_IN_USE');
      await site.expectNoTrace(job, ['taken.vhdx']);
    } finally {
      running.kill('SIGKILL');
      await ended;
    }
  });

  it('a source that points outside the source folders', async () => {
    const disk = join(site.sourceFolder, 'pointer.qcow2');
    await mkdir(join(site.folder, 'secret'));
    await writeFile(join(site.folder, 'secret', 'base.raw'), Buffer.alloc(1024 * 1024, 1));
    await runTool('qemu-img', [
      'create',
      '-q',
      '-f',
      'qcow2',
      '-F',
      'raw',
      '-b',
      join(site.folder, 'secret/base.raw'),
      disk,
    ]);
    const job = await site.end(await site.begin({ disk }));
    expectFailure(job, 'SOURCE_BACKING_REFUSED');
    await site.expectNoTrace(job, ['taken.vhdx']);
  });

  it('a cancel during preflight, while the file server stands still', async () => {
    site.samba.freeze();
    try {
      const id = await site.begin({ name: 'frozen' });
      await site.waitFor(id, (job) => job.step === 'preflight');
      await site.deployment.mustRun(['job', 'cancel', id]);
      const job = await site.end(id, 30_000);
      expect(job).toMatchObject({ state: 'cancelled', error: { code: 'JOB_CANCELLED' } });
      await site.expectNoTrace(job, ['taken.vhdx']);
    } finally {
      site.samba.thaw();
    }
  });

  it('a dry run gives findings and creates nothing', async () => {
    const job = await site.end(await site.begin({ name: 'dry', more: ['--dry-run'] }));
    expect(job.error).toBeUndefined();
    expect(job.state).toBe('complete');
    expect(job.findings.every(({ severity }) => severity !== 'critical')).toBe(true);
    expect(job.result?.export).toBeUndefined();
    await site.expectNoTrace(job, ['taken.vhdx']);
    const ledger = (await site.events(job.id)).filter(({ body }) => body.kind === 'ledger');
    expect(ledger).toEqual([]);
  });

  it('a credential pointed at another host is refused, and not one packet leaves', async () => {
    let connections = 0;
    const stranger = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((listening) => stranger.listen(0, '127.0.0.1', listening));
    const address = stranger.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const target = ['--to', `smb://127.0.0.1:${port}/images`, '--name', 'x', '--credential', 'elsewhere'];
    const run = await site.deployment.ips([
      'export',
      'qemu',
      '--location',
      LOCATION,
      '--disk',
      site.disk,
      ...target,
      '--no-wait',
    ]);
    expect(run.code).not.toBe(0);
    expect(run.stderr).toContain('CREDENTIAL_TARGET_REFUSED');
    await sleep(500);
    expect(connections).toBe(0);
    await new Promise((closed) => stranger.close(closed));
  });
});
