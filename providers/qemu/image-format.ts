/**
 * Which format a source is read as. It is never guessed from the content: the guest that owns a raw disk can write any
 * header into its first sector, and a guess would then follow the file names in it.
 */
import { extname } from 'node:path';
import { readRegion } from '../../src/lib/files.ts';
import type { QemuSource } from '../../src/protocol/job.ts';

export type ImageFormat = NonNullable<QemuSource['format']>;

const BY_EXTENSION: Readonly<Record<string, ImageFormat>> = {
  '.raw': 'raw',
  '.img': 'raw',
  '.qcow2': 'qcow2',
  '.vmdk': 'vmdk',
  '.vhdx': 'vhdx',
};

/** The format that was asked for, else the one that the extension says; undefined when neither tells. */
export function formatOf(source: Pick<QemuSource, 'path' | 'format'>): ImageFormat | undefined {
  return source.format ?? BY_EXTENSION[extname(source.path).toLowerCase()];
}

/** First bytes: qcow2 (docs/interop/qcow2.txt), VMDK (Virtual Disk Format 5.0), VHDX ([MS-VHDX] 2.2.1). */
const MAGICS: readonly (readonly [ImageFormat, string])[] = [
  ['qcow2', 'QFI\xfb'],
  ['vmdk', 'KDMV'],
  ['vmdk', '# Disk DescriptorFile'],
  ['vhdx', 'vhdxfile'],
];

/** What the first bytes look like; a hint for a person who gave no format, never a decision. */
export async function looksLike(path: string): Promise<ImageFormat | undefined> {
  const start = (await readRegion(path, 0, 32)).toString('latin1');
  return MAGICS.find(([, magic]) => start.startsWith(magic))?.[0];
}
