/**
 * Runs every test and says how many passed, failed and were skipped, and how many booted a virtual machine. Unit and
 * integration tests run side by side; those that look at the whole host, and end-to-end tests, which boot engines, one
 * after the other. Fails also when fewer tests booted a VM than test/e2e/expected.json demands, so that a harness that
 * quietly stops booting is noticed.
 *
 * Arguments are passed on to jest (a path or a name), and then only what matches is run and no number is demanded.
 * Interrupted, it ends at once; what tests have started ends with them or soon after (test/harness/leftover-guard.ts).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { bootRecordVariable, readBootRecord } from '../test/harness/boot-record.ts';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** What of jest's report is read. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  numRuntimeErrorTestSuites: number;
  testResults: {
    name: string;
    message: string;
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
  }[];
}

const selection = process.argv.slice(2);
const scratch = await mkdtemp(join(tmpdir(), 'ips-test-'));
const bootRecord = join(scratch, 'boots');
const failures: string[] = [];
let running: ChildProcess | undefined;

let interrupted = false;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(name, () => {
    interrupted = true;
    if (running?.pid !== undefined) process.kill(-running.pid, name);
  });

try {
  const quick = await runJest('quick', ['test/unit', 'test/integration'], ['--maxWorkers=2']);
  const booting = await runJest('alone', ['test/host', 'test/e2e'], ['--runInBand', '--verbose']);
  const total = {
    passed: quick.passed + booting.passed,
    failed: quick.failed + booting.failed,
    skipped: quick.skipped + booting.skipped,
  };
  const boots = await readBootRecord(bootRecord);
  const { testsThatBootAVm } = JSON.parse(await readFile('test/e2e/expected.json', 'utf8'));
  console.log(`\n${boots.size} tests booted a virtual machine (at least ${testsThatBootAVm} must)`);
  if (selection.length === 0 && boots.size < testsThatBootAVm) {
    console.log('too few tests booted a virtual machine');
    total.failed += 1;
  }
  if (interrupted) {
    console.log('interrupted');
    total.failed += 1;
  }
  if (failures.length > 0) console.log(`\nWhat failed:\n${failures.join('\n')}\n`);
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
} finally {
  await rm(scratch, { recursive: true, force: true });
}

/** Runs jest over some folders. A run that ends without a report, or unhappily for no test's fault, counts as a failure. */
async function runJest(name: string, folders: readonly string[], options: readonly string[]): Promise<Counts> {
  if (interrupted) return { passed: 0, failed: 0, skipped: 0 };
  const report = join(scratch, `${name}.json`);
  const args = ['node_modules/jest/bin/jest.js', ...options, '--json', `--outputFile=${report}`];
  const patterns = selection.length > 0 ? [...selection, '--passWithNoTests', '--roots', ...folders] : folders;
  const child = spawn(process.execPath, [...args, ...patterns], {
    stdio: ['ignore', 'ignore', 'inherit'],
    // A process group of its own, so that its workers are told too, whoever was told first.
    detached: true,
    env: {
      ...process.env,
      NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
      [bootRecordVariable]: bootRecord,
    },
  });
  running = child;
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  running = undefined;
  try {
    const counts: Report = JSON.parse(await readFile(report, 'utf8'));
    failures.push(...failuresIn(counts));
    const failed = counts.numFailedTests + counts.numRuntimeErrorTestSuites;
    return {
      passed: counts.numPassedTests,
      failed: failed === 0 && code !== 0 ? 1 : failed,
      skipped: counts.numPendingTests + counts.numTodoTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

/** Each failed test with the first lines of why; once more at the end, where it is not lost in the length of the log. */
function failuresIn({ testResults }: Report): string[] {
  return testResults.flatMap(({ name, message, assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    const reasons = failed.map(({ fullName, failureMessages }) => `${fullName}\n${failureMessages.join('\n')}`);
    // A file that could not even be loaded has no tests to tell of.
    if (reasons.length === 0 && assertionResults.length === 0 && message !== '') reasons.push(message);
    return reasons.map((reason) => `${relative(process.cwd(), name)}: ${firstLines(reason)}`);
  });
}

function firstLines(text: string): string {
  const lines = stripVTControlCharacters(text).split('\n');
  return lines
    .filter((line) => line.trim() !== '')
    .slice(0, 15)
    .join('\n  ');
}
