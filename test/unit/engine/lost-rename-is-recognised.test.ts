/** The commit's rename: refused when the target exists, and recognised as done when only its answer was lost. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FolderShare } from '../../../src/engine/folder-share.ts';
import { PartialFile } from '../../../src/engine/partial-file.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { IpsError } from '../../../src/protocol/errors.ts';

const names = { fileName: 'x.vhdx', partialName: '.x.partial' };
const doors = new Doors();
const { signal } = new AbortController();

/** A share whose rename does its work or not, and then says what the test wants. */
class LossyShare extends FolderShare {
  lose: 'before' | 'after' | undefined;

  override async rename(from: string, to: string): Promise<void> {
    const lose = this.lose;
    this.lose = undefined;
    if (lose === 'before') throw new IpsError('SMB_UNREACHABLE');
    await super.rename(from, to);
    if (lose === 'after') throw new IpsError('SMB_UNREACHABLE');
  }
}

let folder: string;
let share: LossyShare;
let partial: PartialFile;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'partial-'));
  share = new LossyShare(folder, doors);
  partial = new PartialFile(share, names, doors);
  const file = await partial.create(folder, signal);
  await file.write(0, Buffer.from('content'));
  await file.close();
});
afterEach(() => rm(folder, { recursive: true }));

describe('the rename of the partial file', () => {
  it('gives it the final name', async () => {
    await partial.rename(7, signal);
    expect(await readdir(folder)).toEqual(['x.vhdx']);
  });

  it('is done when its answer was lost after the work', async () => {
    share.lose = 'after';
    await partial.rename(7, signal);
    expect(await readdir(folder)).toEqual(['x.vhdx']);
  });

  it('fails when it was lost before the work, and works the next time', async () => {
    share.lose = 'before';
    await expect(partial.rename(7, signal)).rejects.toMatchObject({ code: 'SMB_UNREACHABLE' });
    await partial.rename(7, signal);
    expect(await readdir(folder)).toEqual(['x.vhdx']);
  });

  it('is refused when the target exists', async () => {
    await writeFile(join(folder, 'x.vhdx'), 'another');
    await expect(partial.rename(7, signal)).rejects.toMatchObject({ code: 'TARGET_EXISTS' });
    expect((await readdir(folder)).sort()).toEqual(['.x.partial', 'x.vhdx']);
  });

  it('does not take a stranger of the same length for its own work', async () => {
    await partial.remove(signal);
    await writeFile(join(folder, 'x.vhdx'), 'another');
    await expect(partial.rename(7, signal)).rejects.toBeInstanceOf(IpsError);
  });
});

describe('the partial file', () => {
  it('is never taken over from another engine, nor removed then', async () => {
    const second = new PartialFile(share, names, doors);
    await expect(second.create(folder, signal)).rejects.toMatchObject({ code: 'TARGET_WRITE_FAILED' });
    await second.remove(signal);
    expect(await readdir(folder)).toEqual(['.x.partial']);
  });

  it('is not made when the target exists', async () => {
    await partial.rename(7, signal);
    const second = new PartialFile(share, names, doors);
    await expect(second.create(folder, signal)).rejects.toMatchObject({ code: 'TARGET_EXISTS' });
    expect(await readdir(folder)).toEqual(['x.vhdx']);
  });

  it('is not made after an abort, behind the back of its removal', async () => {
    const late = new PartialFile(share, { ...names, partialName: '.late.partial' }, doors);
    await expect(late.create(folder, AbortSignal.abort(new Error('cancelled')))).rejects.toThrow('cancelled');
    expect(await readdir(folder)).toEqual(['.x.partial']);
  });

  it('is removed once, however often that is asked', async () => {
    await partial.remove(signal);
    await partial.remove(signal);
    expect(await readdir(folder)).toEqual([]);
  });
});
