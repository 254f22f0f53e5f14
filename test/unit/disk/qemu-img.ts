/** qemu-img, the independent judge of our files. Formats are always named, never probed. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export async function qemuImg(...args: string[]): Promise<string> {
  const { stdout } = await run('qemu-img', args);
  return stdout;
}

/** Throws unless the file has no leak and no error (qemu-img checks VHDX; it knows no check for VHD). */
export async function check(format: 'vhdx', path: string): Promise<void> {
  await qemuImg('check', '-f', format, path);
}

/** Throws unless both have the same bytes (what one has more must be zeros). */
export async function compare(format: 'vhdx' | 'vpc', path: string, rawPath: string): Promise<void> {
  await qemuImg('compare', '-f', format, '-F', 'raw', path, rawPath);
}

export async function virtualSize(format: 'vhdx' | 'vpc', path: string): Promise<number> {
  const answer: { 'virtual-size': number } = JSON.parse(await qemuImg('info', '--output=json', '-f', format, path));
  return answer['virtual-size'];
}

/** What qemu-img reads in one sector; for disks too large to be compared whole. */
export async function sector(format: 'vhdx' | 'vpc', path: string, offset: number, scratch: string): Promise<Buffer> {
  await qemuImg(
    'dd',
    '-f',
    format,
    '-O',
    'raw',
    'bs=512',
    `skip=${offset / 512}`,
    `count=${offset / 512 + 1}`,
    `if=${path}`,
    `of=${scratch}`,
  );
  return await readFile(scratch);
}
