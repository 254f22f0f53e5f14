/** The linter refuses every way around doors, clock and chance that we know, and nothing that is allowed. */
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tryTool } from '../../harness/tools.ts';

const TOP = resolve(import.meta.dirname, '../../..');

const modules = [
  'net tls http https http2 dgram dns dns/promises inspector child_process worker_threads cluster sqlite timers',
  'timers/promises perf_hooks module process vm repl',
].flatMap((names) => names.split(' '));

const REFUSED: Record<string, string> = {
  ...Object.fromEntries(modules.map((name) => [`import of ${name}`, `export * as a from 'node:${name}';`])),
  'import without node:': "import a from 'net'; export { a };",
  'import of ws': "import { WebSocket } from 'ws'; export { WebSocket };",
  'import of undici': "import { request } from 'undici'; export { request };",
  'dynamic import': "export const a = await import('node:net');",
  'dynamic import in backticks': 'export const a = await import(`node:child_process`);',
  'file change': "import { writeFileSync } from 'node:fs'; export const a = writeFileSync;",
  'file change, promised': "import { rename } from 'node:fs/promises'; export const a = rename;",
  'all of fs': "import * as a from 'node:fs'; export { a };",
  fetch: "export const a = fetch('https://x');",
  'fetch of globalThis': 'export const a = globalThis.fetch;',
  WebSocket: "export const a = new WebSocket('wss://x');",
  EventSource: "export const a = new EventSource('https://x');",
  'built-in module': "export const a = process.getBuiltinModule('fs');",
  'process.kill': 'process.kill(1);',
  eval: "eval('1');",
  'switched-off verification': 'export const a = { rejectUnauthorized: false };',
  'verification switched off later':
    'export function f(a: { rejectUnauthorized: boolean }) { a.rejectUnauthorized = false; }',
  setTimeout: 'setTimeout(() => undefined, 1);',
  setInterval: 'setInterval(() => undefined, 1);',
  'Date.now': 'export const a = Date.now();',
  'new Date': 'export const a = new Date();',
  Date: 'export const a = Date();',
  'another name of Date': 'const D = Date; export const a = new D(0);',
  'a part of Date': 'const { now } = Date; export const a = now();',
  performance: 'export const a = performance.now();',
  hrtime: 'export const a = process.hrtime.bigint();',
  uptime: 'export const a = process.uptime();',
  'AbortSignal.timeout': 'export const a = AbortSignal.timeout(1);',
  'Math.random': 'export const a = Math.random();',
  'a part of Math': 'const { random } = Math; export const a = random();',
  'crypto.randomUUID': 'export const a = crypto.randomUUID();',
  randomBytes: "import { randomBytes } from 'node:crypto'; export const a = randomBytes(1);",
  randomFillSync: "import { randomFillSync } from 'node:crypto'; export const a = randomFillSync;",
  'all of crypto': "import * as a from 'node:crypto'; export { a };",
  'default of crypto': "import a from 'node:crypto'; export { a };",
};

const LOOKALIKES = [
  'src/disk/lib/processes.ts',
  'src/connector/engine/server.ts',
  'providers/vsphere/lib/processes.ts',
];

const ALLOWED = `import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

export const digest = (text: string) => createHash('sha256').update(text).digest('hex');
export const read = (path: string) => readFile(path, 'utf8');
export const at = (ms: number): Date => new Date(Math.max(0, ms, Date.parse('2026-01-01')));
`;

describe('the linter', () => {
  let folder: string;
  let report: string;
  const names = Object.keys(REFUSED);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ips-lint-'));
    await cp(join(TOP, 'biome.json'), join(folder, 'biome.json'));
    await cp(join(TOP, 'lint'), join(folder, 'lint'), { recursive: true });
    await mkdir(join(folder, 'src/cloud'), { recursive: true });
    await mkdir(join(folder, 'test'));
    await writeFile(join(folder, 'src/cloud/allowed.ts'), ALLOWED);
    // Names that end like those of files with an exception.
    for (const file of LOOKALIKES) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), "export * as a from 'node:child_process';\nexport * as b from 'node:net';\n");
    }
    for (const [index, name] of names.entries())
      await writeFile(join(folder, `src/cloud/refused-${index}.ts`), `${REFUSED[name]}\n`);
    const tests = ['it.only', 'it.skip', 'describe.only', 'describe.skip'];
    for (const [index, form] of tests.entries())
      await writeFile(join(folder, `test/form-${index}.test.ts`), `${form}('x', () => undefined);\n`);
    const args = ['lint', '--vcs-enabled=false', '--max-diagnostics=none', '--reporter=github', '.'];
    const run = await tryTool(join(TOP, 'node_modules/.bin/biome'), args, { cwd: folder });
    report = run.stdout;
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const isRefused = (file: string) => report.split('\n').some((line) => /^::error/.test(line) && line.includes(file));

  it.each(names)('refuses %s', (name) => {
    expect(isRefused(`/src/cloud/refused-${names.indexOf(name)}.ts`)).toBe(true);
  });

  it.each(LOOKALIKES)('makes no exception for %s', (file) => {
    expect(isRefused(`/${file}`)).toBe(true);
  });

  it('refuses tests that switch others off, or themselves', async () => {
    const files = await readdir(join(folder, 'test'));
    expect(files.filter((file) => !isRefused(`/test/${file}`))).toEqual([]);
  });

  it('lets pass what has no effect', () => {
    expect(isRefused('/src/cloud/allowed.ts')).toBe(false);
  });
});
