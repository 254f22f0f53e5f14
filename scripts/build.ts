/** Bundles the four programs into single executable files in dist/: each runs wherever a Node of our version is. */
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';

const PROGRAMS = { 'ips-cloud': 'cloud', 'ips-connector': 'connector', 'ips-engine': 'engine', ips: 'cli' };

/** CommonJS packages inside an ES module ask for `require`. */
const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/**
 * A file that is a shell script up to its first lines and JavaScript throughout: the shell looks for a Node that is new
 * enough, since an older one would only say that it knows no module `node:sqlite`.
 */
const LAUNCHER = `#!/bin/sh
':' //; case $(node --version 2>/dev/null) in v2[4-9].*|v[3-9][0-9].*) exec node "$0" "$@" ;; esac
':' //; echo "$(basename "$0") needs Node 24 or newer in the PATH; found: $(node --version 2>/dev/null || echo none)" >&2
':' //; exit 2
`;

await mkdir('dist', { recursive: true });
await Promise.all(
  Object.entries(PROGRAMS).map(async ([name, folder]) => {
    const { outputFiles } = await build({
      entryPoints: [`src/${folder}/main.ts`],
      bundle: true,
      write: false,
      platform: 'node',
      format: 'esm',
      target: 'node24',
      banner: { js: REQUIRE },
      legalComments: 'none',
      logLevel: 'warning',
    });
    const [bundle] = outputFiles;
    if (!bundle) throw new Error(`nothing came out for ${name}`);
    const text = LAUNCHER + bundle.text;
    // The same bytes leave the file as it is, so that what is built from it (the engine image) is not built anew.
    if ((await readFile(`dist/${name}`, 'utf8').catch(() => '')) === text) return;
    const temporary = `dist/.${name}.${process.pid}`;
    try {
      await writeFile(temporary, text);
      await chmod(temporary, 0o755);
      await rename(temporary, `dist/${name}`);
    } finally {
      await rm(temporary, { force: true });
    }
    console.log(`built dist/${name} (${(text.length / 2 ** 20).toFixed(1)} MiB)`);
  }),
);
