/**
 * Runs every test and says how many passed, failed and were skipped, and how many booted a virtual machine. Unit and
 * integration tests run side by side; end-to-end tests, which boot engines, one after the other. Fails also when fewer
 * tests booted a VM than test/e2e/expected.json demands, so that a harness that quietly stops booting is noticed.
 *
 * Arguments are passed on to jest (a path or a name), and then only what matches is run and no number is demanded.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootRecordVariable, readBootRecord } from '../test/harness/boot-record.ts';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const selection = process.argv.slice(2);
const scratch = await mkdtemp(join(tmpdir(), 'ips-test-'));
const bootRecord = join(scratch, 'boots');

try {
  const quick = await runJest('quick', ['test/unit', 'test/integration'], ['--maxWorkers=2']);
  const booting = await runJest('e2e', ['test/e2e'], ['--runInBand', '--verbose']);
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
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
} finally {
  await rm(scratch, { recursive: true, force: true });
}

/** Runs jest over some folders. A run that ends without a report counts as one failure. */
async function runJest(name: string, folders: readonly string[], options: readonly string[]): Promise<Counts> {
  const report = join(scratch, `${name}.json`);
  const args = ['node_modules/jest/bin/jest.js', ...options, '--json', `--outputFile=${report}`, '--passWithNoTests'];
  const patterns = selection.length > 0 ? [...selection, '--roots', ...folders] : folders;
  const child = spawn(process.execPath, [...args, ...patterns], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
      [bootRecordVariable]: bootRecord,
    },
  });
  await new Promise((resolve) => child.once('close', resolve));
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numRuntimeErrorTestSuites } = JSON.parse(
      await readFile(report, 'utf8'),
    );
    return {
      passed: numPassedTests,
      failed: numFailedTests + numRuntimeErrorTestSuites,
      skipped: numPendingTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
