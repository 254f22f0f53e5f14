/** What an export does, in the shortest form: a raw file into a VHDX or a fixed VHD, and back for verification. */

import type { RandomAccess, WritableAccess } from '../../../src/disk/access.ts';
import type { DataRange } from '../../../src/disk/allocation-map.ts';
import type { CopyResult } from '../../../src/disk/copy.ts';
import { copyDisk } from '../../../src/disk/copy.ts';
import { createFile, openFile } from '../../../src/disk/file.ts';
import { MappedDisk } from '../../../src/disk/mapped-disk.ts';
import { openDisk } from '../../../src/disk/open.ts';
import { RawDisk } from '../../../src/disk/raw.ts';
import { verifyDisk, verifySeal } from '../../../src/disk/verify.ts';
import { VhdFixedWriter } from '../../../src/disk/vhd/fixed-writer.ts';
import { VhdxWriter } from '../../../src/disk/vhdx/vhdx-writer.ts';
import type { DiskWriter } from '../../../src/disk/writer.ts';
import { IDENTITY } from './sample.ts';

export type Target = 'vhd' | 'vhdx';

export function createWriter(
  format: Target,
  access: WritableAccess,
  virtualSize: number,
  more: { blockSize?: number } = {},
): Promise<DiskWriter> {
  const options = { virtualSize, identity: IDENTITY, ...more };
  return format === 'vhdx' ? VhdxWriter.create(access, options) : VhdFixedWriter.create(access, options);
}

export async function exportFile(
  rawPath: string,
  ranges: readonly DataRange[],
  format: Target,
  path: string,
  more: { blockSize?: number } = {},
): Promise<CopyResult> {
  const opened = await openFile(rawPath);
  const target = await createFile(path);
  try {
    const source = new MappedDisk(new RawDisk(opened), ranges);
    const writer = await createWriter(format, target, source.virtualSize, more);
    return await copyDisk({ source, writer });
  } finally {
    await target.close();
    await opened.close();
  }
}

/** Reads the file back as a new opener would. */
export async function verifyFile(path: string, format: Target, expected: CopyResult): Promise<void> {
  const access = await openFile(path);
  try {
    await verifyAccess(access, format, expected);
  } finally {
    await access.close();
  }
}

export async function exportBytes(bytes: RandomAccess, format: Target, target: WritableAccess): Promise<CopyResult> {
  const source = new RawDisk(bytes);
  return await copyDisk({ source, writer: await createWriter(format, target, source.virtualSize) });
}

export async function verifyAccess(access: RandomAccess, format: Target, expected: CopyResult): Promise<void> {
  await verifySeal(access, expected.seal);
  await verifyDisk(await openDisk(access, format), expected);
}
