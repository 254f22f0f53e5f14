/**
 * Imports go one way. Reads every source file and fails when a folder imports from one it must not know; the rule is
 * the table below, and a folder that is not in it is an error too.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';

/** Folder → folders it may import from (itself is always allowed). */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'src/protocol': [],
  'src/lib': [],
  'src/disk': ['src/lib'],
  'src/share': ['src/lib', 'src/protocol'],
  'src/engine': ['src/disk', 'src/share', 'src/protocol', 'src/lib'],
  'src/connector': ['src/client', 'src/protocol', 'src/lib', 'src/share', 'providers/contract.ts'],
  'src/cloud': ['src/protocol', 'src/lib'],
  'src/client': ['src/protocol', 'src/lib'],
  'src/cli': ['src/client', 'src/protocol', 'src/lib'],
  'providers/contract.ts': ['src/protocol', 'src/lib'],
  'providers/qemu': ['providers/contract.ts', 'src/protocol', 'src/lib'],
};

/** The one place that names provider folders: it loads them, in workers, by dynamic import. */
const PROVIDER_LOADER = 'src/connector/providers.ts';

/** The one file that reads the package's manifest. */
const VERSION = 'src/lib/version.ts';

/** What follows `from`, `import` or `import(`, in whatever quotes. */
const SPECIFIER = /\b(?:from|import)\s*(?<dynamic>\()?\s*(?<quote>['"`])(?<specifier>\.{1,2}\/.+?)\k<quote>/g;

/** The folder of the table that a file belongs to. */
export function roomOf(file: string): string | undefined {
  return Object.keys(MAY_IMPORT).find((room) => file === room || file.startsWith(`${room}/`));
}

/** One line for each import that goes the wrong way. */
export function wrongImports(file: string, source: string): string[] {
  const room = roomOf(file);
  if (!room) return [`${file}: its folder is not in the table of scripts/check-imports.ts`];
  const allowed = [room, ...(MAY_IMPORT[room] ?? [])];
  const complaints: string[] = [];
  for (const { groups } of source.matchAll(SPECIFIER)) {
    const { dynamic, specifier = '' } = groups ?? {};
    const target = normalize(join(dirname(file), specifier));
    const targetRoom = roomOf(target);
    if (targetRoom && allowed.includes(targetRoom)) continue;
    if (file === PROVIDER_LOADER && dynamic && /^providers\/[a-z]+\/index\.ts$/.test(target)) continue;
    if (file === VERSION && target === 'package.json') continue;
    complaints.push(`${file}: must not import ${target}`);
  }
  return complaints;
}

export async function checkImports(files: readonly string[]): Promise<string[]> {
  const complaints = await Promise.all(
    files
      .filter((file) => /^(src|providers)\/.*\.ts$/.test(file))
      .map(async (file) => wrongImports(file, await readFile(file, 'utf8'))),
  );
  return complaints.flat();
}
