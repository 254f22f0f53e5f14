/**
 * Prints the manifest of an engine image: what it is made of, and the size and SHA-256 of each file.
 * `version` is derived from the files alone: the same bytes always bear the same version.
 *
 * usage: node manifest.ts FOLDER SUITE PACKAGES_TSV AGENT
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, suite, packagesFile, agentFile] = process.argv.slice(2);
if (!folder || !suite || !packagesFile || !agentFile) {
  throw new Error('usage: manifest.ts FOLDER SUITE PACKAGES_TSV AGENT');
}

function describe(path: string): { size: number; sha256: string } {
  const content = readFileSync(path);
  return { size: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}

const names = ['vmlinuz', 'initrd', 'root.sqfs'];
const files = Object.fromEntries(names.map((name) => [name, describe(join(folder, name))]));
const digest = createHash('sha256')
  .update(names.map((name) => files[name]?.sha256).join('\n'))
  .digest('hex');
const packages = readFileSync(packagesFile, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split('\t'))
  .map(([name, version]) => ({ name, version }));

const manifest = {
  name: 'ips-engine',
  version: `${suite}-${digest.slice(0, 12)}`,
  suite,
  node: process.versions.node,
  agent: describe(agentFile),
  files,
  packages,
};
process.stdout.write(`${JSON.stringify(manifest, null, 2)}\n`);
