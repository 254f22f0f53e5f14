import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { BlockDigests, HASH_BLOCK } from '../../../src/disk/content-hash.ts';
import { MIB } from '../../../src/disk/units.ts';
import { exportBytes } from './export.ts';
import { MemoryAccess } from './memory-access.ts';
import { noise } from './sample.ts';
import { inTemporaryFolder } from './temporary-folder.ts';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest();

/** The definition, word for word. */
function byDefinition(disk: Buffer): string {
  const digests: Buffer[] = [];
  for (let at = 0; at < disk.length; at += HASH_BLOCK) {
    digests.push(sha256(disk.subarray(at, at + HASH_BLOCK)));
  }
  return sha256(Buffer.concat(digests)).toString('hex');
}

async function hashOf(disk: Buffer): Promise<string> {
  return (await exportBytes(new MemoryAccess(disk), 'vhdx', new MemoryAccess())).contentHash;
}

describe('the content hash', () => {
  it('is the one of the worked example', async () => {
    const disk = Buffer.alloc(5 * MIB);
    disk[0] = 1;
    expect(await hashOf(disk)).toBe('8b31d7d62a31d9db8bd5f4d30303971b3e34f81cc5307d568fac29c612b058e7');
  });

  it('is what coreutils make of a raw disk', async () => {
    await inTemporaryFolder(async (folder) => {
      const disk = Buffer.alloc(9 * MIB + 512);
      noise(5 * MIB, 1).copy(disk, MIB);
      await writeFile(`${folder}/disk.raw`, disk);
      const filter = 'sha256sum | cut -c-64 | tr a-f A-F | basenc -d --base16';
      const command = `split -b 4M --filter='${filter}' ${folder}/disk.raw | sha256sum | cut -c-64`;
      const { stdout } = await promisify(execFile)('sh', ['-c', command]);
      expect(await hashOf(disk)).toBe(stdout.trim());
    });
  });

  it.each([
    { name: 'zeros only', size: 8 * MIB, data: 0 },
    { name: 'zeros only, the last block short', size: 9 * MIB + 512, data: 0 },
    { name: 'data in the last, short block only', size: 9 * MIB + 512, data: 8 * MIB },
    { name: 'less than a block', size: 512, data: 0 },
  ])('follows its definition: $name', async ({ size, data }) => {
    const disk = Buffer.alloc(size);
    if (data > 0) {
      noise(512, 2).copy(disk, data);
    }
    expect(await hashOf(disk)).toBe(byDefinition(disk));
  });

  it('takes blocks that were never set for zeros, also far apart', () => {
    const digests = new BlockDigests(100_000 * HASH_BLOCK);
    const zero = sha256(Buffer.alloc(HASH_BLOCK));
    const other = sha256(Buffer.from('x'));
    digests.set(70_000, other);
    expect(digests.get(0)).toEqual(zero);
    expect(digests.get(69_999)).toEqual(zero);
    expect(digests.get(70_000)).toEqual(other);
    expect(digests.get(99_999)).toEqual(zero);
  });
});
