/**
 * Files are looked at by name and QEMU opens them by name a moment later; whoever may write into a source folder can put
 * something else there in between. So what QEMU really holds is compared with what was looked at.
 */
import { realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { IpsError } from '../../src/protocol/errors.ts';
import { heldFiles, type KnownFile } from './held-files.ts';
import { isThere, type VmProcess } from './vm-process.ts';

/**
 * The path of a file that the VM holds and that nobody looked at; undefined when there is none.
 * @param known.source what the source was found to consist of
 * @param known.engineImage paths of the engine's own files
 */
export async function strangerIn(
  vm: VmProcess,
  known: { source: readonly KnownFile[]; engineImage: readonly string[] },
): Promise<string | undefined> {
  const [folder, ...own] = await Promise.all([vm.folder, ...known.engineImage].map((path) => realpath(path)));
  const expected = ({ path, id }: KnownFile) =>
    known.source.some((file) => file.path === path && file.id === id) ||
    own.includes(path) ||
    path.startsWith(`${folder}${sep}`);
  try {
    return (await heldFiles(vm.pid)).find((file) => !expected(file))?.path;
  } catch (error) {
    // It ended meanwhile, and holds nothing any more.
    if (!(await isThere(vm))) return undefined;
    throw error;
  }
}

/**
 * What lies in the source folder now must be what the VM holds: a map of another file would leave out data of this one.
 * @throws IpsError SOURCE_UNREADABLE naming the file that was put in the place of another one
 */
export async function refuseReplaced(vm: VmProcess, source: readonly KnownFile[]): Promise<void> {
  const held = await heldFiles(vm.pid).catch(() => []);
  const replaced = source.find(({ path, id }) => !held.some((file) => file.path === path && file.id === id));
  if (replaced === undefined) return;
  if (!(await isThere(vm))) throw new IpsError('ENGINE_LOST', 'It ended while its source was looked at.');
  throw new IpsError('SOURCE_UNREADABLE', `${replaced.path} was replaced while the engine had its predecessor open.`, {
    hint: 'Leave the files in the source folder alone while the job runs, and start it again.',
  });
}
