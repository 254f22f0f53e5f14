/** The mount of the share: where the password lies meanwhile, what its failure means, and how it ends with and without a server. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CifsShare } from '../../../src/engine/cifs-share.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { exists, Files } from '../../../src/lib/files.ts';
import type { Ran } from '../../../src/lib/processes.ts';
import { IpsError } from '../../../src/protocol/errors.ts';
import { type Call, FakeProcesses, hangs } from './fake-processes.ts';
import { ManualClock } from './manual-clock.ts';
import { EXPORT, settle } from './scripted-task.ts';

const { share: access } = EXPORT.target;
const REFUSED = { code: 32, stderr: 'mount error(13): Permission denied\n' };
const LISTING = '\t\t100 blocks of size 1024. 50 blocks available\n';

let scratch: string;
let clock: ManualClock;
let abort: AbortController;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'cifs-'));
  clock = new ManualClock();
  abort = new AbortController();
});
afterEach(() => rm(scratch, { recursive: true }));

function shareWith(play?: (call: Call) => Promise<Partial<Ran>>) {
  const processes = new FakeProcesses(play);
  return { processes, share: new CifsShare({ access, processes, files: new Files(new Doors()), clock, scratch }) };
}

const credentials = () => join(scratch, 'credentials-write');

/** Waits for what real files, here the credentials file, keep from happening at once. */
async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await settle();
}

describe('while it mounts, the password', () => {
  it('lies in a file that only its owner can read, in a private folder, and in no argument', async () => {
    const modes: number[] = [];
    const { processes, share } = shareWith(async () => {
      modes.push((await stat(credentials())).mode & 0o777, (await stat(scratch)).mode & 0o777);
      expect(await readFile(credentials(), 'utf8')).toBe('username=u\npassword=secret-p\n');
      return {};
    });
    const mounted = await share.mount('write', abort.signal);
    expect(modes).toEqual([0o600, 0o700]);
    expect(processes.lines).toEqual([expect.stringMatching(/^mount\.cifs \/\/h\/s .*credentials=/)]);
    expect(processes.lines.join()).not.toContain('secret-p');
    expect(mounted.folder).toBe(join(scratch, 'write'));
    expect(await exists(credentials())).toBe(false);
  });

  it('is gone when the mount failed', async () => {
    const { share } = shareWith(async ({ line }) => (line.startsWith('mount') ? REFUSED : { stdout: LISTING }));
    await expect(share.mount('write', abort.signal)).rejects.toBeInstanceOf(IpsError);
    expect(await exists(credentials())).toBe(false);
  });

  it('is gone when the mount hangs and is given up', async () => {
    const { processes, share } = shareWith(hangs);
    const mounting = share.mount('write', abort.signal);
    await eventually(() => processes.calls.length === 1);
    expect(await exists(credentials())).toBe(true);
    abort.abort(new IpsError('JOB_CANCELLED'));
    await expect(mounting).rejects.toMatchObject({ code: 'JOB_CANCELLED' });
    expect(await exists(credentials())).toBe(false);
    expect(processes.calls[0]?.options.signal?.aborted).toBe(true);
  });
});

describe('a mount that fails', () => {
  it('has the reason that smbclient is given', async () => {
    const { processes, share } = shareWith(async ({ line }) =>
      line.startsWith('mount') ? REFUSED : { code: 1, stdout: 'tree connect failed: NT_STATUS_BAD_NETWORK_NAME\n' },
    );
    await expect(share.mount('write', abort.signal)).rejects.toMatchObject({ code: 'SMB_SHARE_NOT_FOUND' });
    expect(processes.lines).toEqual([expect.stringMatching(/^mount\.cifs /), expect.stringMatching(/^smbclient /)]);
    expect(processes.calls[1]?.options.input).toBe('secret-p\n');
  });

  it('is about the log-on when smbclient has nothing to complain of, not about permissions', async () => {
    const { share } = shareWith(async ({ line }) => (line.startsWith('mount') ? REFUSED : { stdout: LISTING }));
    await expect(share.mount('write', abort.signal)).rejects.toMatchObject({
      code: 'SMB_LOGON_FAILED',
      hint: expect.stringContaining('--domain'),
    });
  });

  it('by its silence is SMB_UNREACHABLE after a minute', async () => {
    const { processes, share } = shareWith(hangs);
    const mounting = share.mount('write', abort.signal);
    await eventually(() => processes.calls.length === 1);
    clock.advance(60_000);
    await expect(mounting).rejects.toMatchObject({ code: 'SMB_UNREACHABLE' });
  });
});

describe('letting go', () => {
  const umounts = (processes: FakeProcesses) => processes.lines.filter((line) => line.startsWith('umount'));
  const folder = () => join(scratch, 'write');

  it('is orderly, and happens once', async () => {
    const { processes, share } = shareWith();
    const mounted = await share.mount('write', abort.signal);
    await mounted.release();
    await mounted.release();
    expect(umounts(processes)).toEqual([`umount ${folder()}`]);
  });

  // A call that hangs in a mount that was detached by force crashes the kernel when its process ends.
  it('never detaches what is in use', async () => {
    const { processes, share } = shareWith(async ({ line }) => ({ code: line.startsWith('umount') ? 32 : 0 }));
    await (await share.mount('write', abort.signal)).release();
    expect(umounts(processes)).toEqual([`umount ${folder()}`]);
  });

  it.each([
    ['20 s', 20_000, () => undefined],
    ['a moment after an abort', 2_000, () => abort.abort()],
  ])('is waited for %s at most', async (_what, limitMs, before) => {
    const { processes, share } = shareWith(({ line }) => (line.startsWith('umount') ? hangs() : Promise.resolve({})));
    const mounted = await share.mount('write', abort.signal);
    before();
    let over = false;
    const released = mounted.release().then(() => {
      over = true;
    });
    clock.advance(limitMs - 1);
    await settle();
    expect(over).toBe(false);
    clock.advance(1);
    await released;
    expect(umounts(processes)).toEqual([`umount ${folder()}`]);
  });
});
