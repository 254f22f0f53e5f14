/** What the kernel says while reading and writing becomes a code of the catalogue; what is not the kernel's stays. */
import { describe, expect, it } from '@jest/globals';
import type { WritableAccess } from '../../../src/disk/access.ts';
import { DiskError } from '../../../src/disk/error.ts';
import { asSource, asTarget, readBackError } from '../../../src/engine/share-errors.ts';

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
    ['EHOSTDOWN', 'TARGET_WRITE_FAILED'],
    ['ETIMEDOUT', 'TARGET_WRITE_FAILED'],
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
