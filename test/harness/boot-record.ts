/**
 * The evidence that a test booted a virtual machine: the boot id of a guest kernel, which the connector wrote into the
 * job's log when the engine answered it. One line each, test name and boot id, in a file that the test run names.
 */
import { appendFile, readFile } from 'node:fs/promises';

export const bootRecordVariable = 'IPS_TEST_BOOT_RECORD';

/** Notes that the running test met this guest boot. Outside a test run that counts, nothing is kept. */
export async function recordBoot(testName: string, bootId: string): Promise<void> {
  const file = process.env[bootRecordVariable];
  if (file) await appendFile(file, `${JSON.stringify({ testName, bootId })}\n`);
}

/** Test name → the boots it met; a boot id counts for one test only. */
export async function readBootRecord(file: string): Promise<Map<string, string[]>> {
  const tests = new Map<string, string[]>();
  const seen = new Set<string>();
  const text = await readFile(file, 'utf8').catch(() => '');
  for (const line of text.split('\n').filter(Boolean)) {
    const { testName, bootId } = JSON.parse(line);
    if (seen.has(bootId)) continue;
    seen.add(bootId);
    tests.set(testName, [...(tests.get(testName) ?? []), bootId]);
  }
  return tests;
}
