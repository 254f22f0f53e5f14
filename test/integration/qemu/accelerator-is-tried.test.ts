import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chooseAccelerator } from '../../../providers/qemu/accelerator.ts';
import { parseSettings } from '../../../providers/qemu/settings.ts';
import { type Clock, systemClock } from '../../../src/lib/clock.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { Files } from '../../../src/lib/files.ts';
import { Processes } from '../../../src/lib/processes.ts';
import { silentLog } from '../providers/conformance.ts';

const never = new AbortController().signal;
const REACHES_THE_END = 'echo "Kernel panic - not syncing: VFS: Unable to mount root fs"';

describe('the accelerator', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ips-accel-'));
  });
  afterEach(async () => rm(folder, { recursive: true, force: true }));

  /** Chooses with a program in QEMU's place that counts the tried starts and then does `script`. */
  async function choose(script: string, { accelerator = 'auto', clock = systemClock() } = {}): Promise<string> {
    const binary = join(folder, 'qemu');
    const count = `case "$*" in *--version*) echo "QEMU 1"; exit 0;; esac; echo try >>"${join(folder, 'tries')}"`;
    await writeFile(binary, `#!/bin/sh\n${count}\n${script}\n`);
    await chmod(binary, 0o755);
    await mkdir(join(folder, 'state'), { recursive: true });
    const doors = new Doors();
    const tools = {
      settings: parseSettings({ sourceFolders: ['/srv'], engineImageFolder: folder, binary, accelerator }),
      stateFolder: join(folder, 'state'),
      processes: new Processes(doors),
      files: new Files(doors),
      clock,
      log: silentLog,
    };
    return await chooseAccelerator(tools, never);
  }
  const tries = async () => (await readFile(join(folder, 'tries'), 'utf8').catch(() => '')).split('\n').length - 1;

  it('is KVM only when a guest ran to its end', async () => {
    expect(await choose(REACHES_THE_END)).toBe('kvm');
  });

  it.each([
    ['QEMU fails', 'echo "failed to set MSR 0x10a" >&2; kill -ABRT $$'],
    ['the guest says nothing and QEMU ends well, as after a triple fault', 'exit 0'],
    ['the guest starts and QEMU breaks', `${REACHES_THE_END}; exit 1`],
  ])('is TCG when %s', async (_, script) => {
    expect(await choose(script)).toBe('tcg');
  });

  it('is TCG when the guest does not come to an end', async () => {
    const real = systemClock();
    const limits: (() => void)[] = [];
    const after: Clock['after'] = (_ms, action) => {
      limits.push(action);
      return { cancel: () => undefined };
    };
    const chosen = choose('exec sleep 60', { clock: { ...real, after } });
    while ((await tries()) === 0) await real.sleep(20);
    limits.at(-1)?.();
    expect(await chosen).toBe('tcg');
  });

  it('is tried once where KVM works, not before each job', async () => {
    await choose(REACHES_THE_END);
    expect(await choose('exit 1')).toBe('kvm');
    expect(await tries()).toBe(1);
  });

  it('is tried again after a failure, which may have passed', async () => {
    expect(await choose('echo "ioctl(KVM_CREATE_VM) failed: Cannot allocate memory" >&2; exit 1')).toBe('tcg');
    expect(await choose(REACHES_THE_END)).toBe('kvm');
    expect(await tries()).toBe(2);
  });

  it('is tried again after the host booted again', async () => {
    await choose(REACHES_THE_END);
    const cache = join(folder, 'state', 'kvm-runs.json');
    await writeFile(cache, JSON.stringify({ ...JSON.parse(await readFile(cache, 'utf8')), bootId: 'an earlier one' }));
    expect(await choose('exit 1')).toBe('tcg');
    expect(await tries()).toBe(2);
  });

  it('is not tried when the settings name one', async () => {
    expect(await choose('exit 1', { accelerator: 'kvm' })).toBe('kvm');
    expect(await choose('exit 1', { accelerator: 'tcg' })).toBe('tcg');
    expect(await tries()).toBe(0);
  });
});
