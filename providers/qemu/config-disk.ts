/**
 * The disk from which an engine takes its user data, boot key included. A process that dies while it makes one leaves
 * the key in a file beside it, under a name of {@link Files.writeDurably}'s own.
 */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { exists, type Files } from '../../src/lib/files.ts';
import { USER_DATA_SIZE } from '../../src/protocol/engine.ts';
import { vmFiles } from './command-line.ts';

/** @param folder the VM's own, which must be there */
export async function makeConfig(files: Files, folder: string, userData: Buffer): Promise<void> {
  if (userData.length > USER_DATA_SIZE) throw new Error(`the user data has more than ${USER_DATA_SIZE} bytes`);
  const content = Buffer.concat([userData, Buffer.alloc(USER_DATA_SIZE - userData.length)]);
  await files.writeDurably(vmFiles(folder).config, content);
}

/**
 * Overwrites the disk where it lies, so that neither host nor guest can read the boot key from it any more. What was
 * left of making it is overwritten too, and removed. Nothing of it need be there.
 */
export async function wipeConfig(files: Files, folder: string): Promise<void> {
  if (!(await exists(folder))) return;
  const { config } = vmFiles(folder);
  const leftovers = (await readdir(folder)).filter((name) => name.startsWith(`.${basename(config)}.`));
  for (const path of leftovers.map((name) => join(folder, name))) {
    await files.overwriteWithZeros(path);
    await files.remove(path);
  }
  if (await exists(config)) await files.overwriteWithZeros(config);
}
