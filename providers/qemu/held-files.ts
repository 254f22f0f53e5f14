/**
 * Which files a process holds open, in the kernel's own words (proc(5)). The kernel tells where a file is, not by which
 * name it was asked for: what somebody made of that name meanwhile does not matter.
 */
import { readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../src/lib/files.ts';

/** A file at a path without symbolic links. */
export interface KnownFile {
  path: string;
  /** Which file it is, whatever its name is now. */
  id: string;
}

/** What {@link KnownFile} calls `id`. */
export function fileId({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev}:${ino}`;
}

/** All that a disk can lie in: plain files and block devices. */
export async function heldFiles(pid: number): Promise<KnownFile[]> {
  const folder = `/proc/${pid}/fd`;
  const held = await Promise.all((await readdir(folder)).map((name) => behind(join(folder, name))));
  return held.filter((file) => file !== undefined);
}

async function behind(link: string): Promise<KnownFile | undefined> {
  try {
    const facts = await stat(link, { bigint: true });
    return facts.isFile() || facts.isBlockDevice() ? { path: await readlink(link), id: fileId(facts) } : undefined;
  } catch (error) {
    // Closed meanwhile.
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
