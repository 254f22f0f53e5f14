/** What the kernel says while reading and writing becomes a code of the catalogue; what is not the kernel's stays. */
import { tmpdir } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import type { WritableAccess } from '../../../src/disk/access.ts';
import { DiskError } from '../../../src/disk/error.ts';
import { copyToShare } from '../../../src/engine/export-copy.ts';
import { FolderShare } from '../../../src/engine/folder-share.ts';
import { PartialFile } from '../../../src/engine/partial-file.ts';
import { asSource, asTarget, readBackError } from '../../../src/engine/share-errors.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { ManualClock } from './manual-clock.ts';
import { EXPORT } from './scripted-task.ts';

const systemError = (code: string) => Object.assign(new Error(`${code}: write`), { code, errno: -1 });

function failing(error: Error): WritableAccess {
  const fail = async () => {
    throw error;
  };
  return { size: 10, read: fail, write: fail, truncate: fail, flush: fail, close: fail };
}

describe('writing the target', () => {
  it.each([
    ['ENOSPC', 'SHARE_FULL'],
    ['EDQUOT', 'SHARE_FULL'],
    ['EACCES', 'SMB_ACCESS_DENIED'],
    ['EROFS', 'SMB_ACCESS_DENIED'],
    ['EIO', 'TARGET_WRITE_FAILED'],
    ['EHOSTDOWN', 'SMB_UNREACHABLE'],
    ['ETIMEDOUT', 'SMB_UNREACHABLE'],
  ])('%s is %s, at whatever call it comes up', async (errno, code) => {
    const target = asTarget(failing(systemError(errno)));
    const expected = { code, message: expect.stringContaining(errno) };
    await expect(target.write(0, Buffer.alloc(1))).rejects.toMatchObject(expected);
    await expect(target.flush()).rejects.toMatchObject(expected);
    await expect(target.truncate(1)).rejects.toMatchObject(expected);
    await expect(target.close()).rejects.toMatchObject(expected);
  });

  it('leaves faults of our own as they are', async () => {
    const fault = new DiskError('MISUSE', 'wrong');
    await expect(asTarget(failing(fault)).write(0, Buffer.alloc(1))).rejects.toBe(fault);
  });
});

describe('reading', () => {
  it('the source: SOURCE_READ_FAILED', async () => {
    const source = asSource(failing(systemError('EIO')), 5);
    expect(source.size).toBe(5);
    await expect(source.read(0, Buffer.alloc(1))).rejects.toMatchObject({ code: 'SOURCE_READ_FAILED' });
  });

  it('the target back: a code of the share', () => {
    expect(readBackError(systemError('EIO'))).toMatchObject({ code: 'SMB_FAILED' });
    expect(readBackError(systemError('EHOSTDOWN'))).toMatchObject({ code: 'SMB_UNREACHABLE' });
  });
});

describe('looking at the target folder', () => {
  const { target } = EXPORT;
  const { signal } = new AbortController();

  it('for a name that the share cannot hold: TARGET_WRITE_FAILED', async () => {
    const names = { fileName: 'x'.repeat(300), partialName: '.x.partial' };
    const partial = new PartialFile(new FolderShare(tmpdir(), new Doors()), names, new Doors());
    await expect(partial.create(tmpdir(), signal)).rejects.toMatchObject({
      code: 'TARGET_WRITE_FAILED',
      message: expect.stringContaining('ENAMETOOLONG'),
    });
  });

  it('for its free space: a code of the target', async () => {
    const doors = new Doors();
    const share = new FolderShare('/', doors);
    share.mount = async () => ({ folder: '/no/such/folder', release: async () => undefined });
    const step = {
      task: { ...EXPORT, source: { serial: '', virtualSize: 0 }, target: { ...target, format: 'vhd' as const } },
      source: import.meta.filename,
      share,
      partial: new PartialFile(share, target, doors),
      clock: new ManualClock(),
      doors,
      emit: () => undefined,
      signal,
    };
    await expect(copyToShare(step)).rejects.toMatchObject({ code: 'TARGET_WRITE_FAILED' });
  });
});
