/** The house's own checks, beside formatter, linter and type check: import direction, and documents made from code. */
import { execFileSync } from 'node:child_process';
import { checkImports } from './check-imports.ts';
import { checkGeneratedDocs } from './generated-docs.ts';

const files = execFileSync(
  'git',
  ['-c', 'safe.directory=*', 'ls-files', '--cached', '--others', '--exclude-standard'],
  { encoding: 'utf8' },
)
  .split('\n')
  .filter((file) => file !== '');

const complaints = [...(await checkImports(files)), ...(await checkGeneratedDocs())];
for (const complaint of complaints) console.error(complaint);
console.log(complaints.length === 0 ? `checks: ${files.length} files, nothing to complain` : 'checks failed');
process.exit(complaints.length === 0 ? 0 : 1);
