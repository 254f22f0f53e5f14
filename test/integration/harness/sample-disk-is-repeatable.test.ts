/** Two builds of the sample disk hold the same files; a second call builds nothing, unless the disk was changed. */

import { readdir, stat, truncate } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { sampleDisk } from '../../fixtures/sample-disk.ts';
import type { SampleDisk } from '../../fixtures/sample-stamp.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { runTool } from '../../harness/tools.ts';

const MIB = 1024 * 1024;
const inside = temporaryFolder();

// In a mount namespace of its own: the mount ends with it.
const HASH_TREE = `
  qemu-img convert -f qcow2 -O raw "$1" "$4.raw"
  dd if="$4.raw" of="$4.ntfs" bs=1M skip="$2" count="$3" conv=sparse status=none
  mkdir "$4"
  ntfs-3g -o ro "$4.ntfs" "$4" && cd "$4" && find . -type f -print0 | sort -z | xargs -0 sha256sum && cd / && umount "$4"`;

async function hashes(disk: SampleDisk, mount: string): Promise<string[]> {
  const { offset, bytes } = disk.partitions.ntfs;
  const args = [disk.path, String(offset / MIB), String(bytes / MIB), mount];
  const listing = await runTool('unshare', ['--mount', 'sh', '-ec', HASH_TREE, 'sh', ...args]);
  return listing.trim().split('\n');
}

describe('sampleDisk', () => {
  const changed = async (): Promise<number> => (await stat(inside('out/disk.qcow2'))).mtimeMs;
  const ask = (): Promise<SampleDisk> => sampleDisk(inside('out/disk.qcow2'), { small: true });

  it('builds once for callers who ask at the same time, and leaves only disk, stamp and lock', async () => {
    const [disk, same] = await Promise.all([ask(), ask()]);
    expect(same).toEqual(disk);
    expect((await readdir(inside('out'))).sort()).toEqual(['disk.qcow2', 'disk.qcow2.lock', 'disk.qcow2.stamp']);
    expect(await runTool('qemu-img', ['check', '-f', 'qcow2', disk.path])).toContain('No errors were found');
  }, 120_000);

  it('builds nothing while the disk stays as it was', async () => {
    const built = await changed();
    await ask();
    expect(await changed()).toBe(built);
  });

  it('builds a changed disk again, with the same files', async () => {
    const disk = await ask();
    const tree = await hashes(disk, inside('first'));
    expect(tree.length).toBe(disk.files);

    await truncate(disk.path, 0);
    expect(await hashes(await ask(), inside('second'))).toEqual(tree);
  }, 120_000);

  it('refuses a name whose ending is no format', async () => {
    await expect(sampleDisk(inside('disk.iso'), { small: true })).rejects.toThrow(
      'the name must end in .raw, .img, .qcow2, .vmdk, .vhdx',
    );
  });
});
