/** What `ips job show` says of a job that a reader could take for something else. */
import { expect, it } from '@jest/globals';
import { jobText } from '../../../src/cli/job-text.ts';
import { jobView } from '../../integration/client/job-view.ts';

const ROW = {
  id: 'r',
  kind: 'qemu.vm',
  name: 'ips-job-a-1.1',
  state: 'made',
  tags: {},
  removeWith: 'pkill it',
} as const;

it('a dry run says that nothing is created', () => {
  const job = jobView('complete');
  expect(jobText(job)).not.toContain('dry run');
  job.parameters.dryRun = true;
  expect(jobText(job)).toMatch(/^dry run +checks only: nothing is created$/m);
});

it('what an ended job left is what the ledger still holds, whoever made it', () => {
  const job = jobView('complete');
  job.openLedger = [ROW];
  expect(jobText(job)).toContain('left behind: qemu.vm ips-job-a-1.1\n  → pkill it');
  // Removed since by its connector.
  job.openLedger = [];
  job.result = { leftovers: [ROW] };
  expect(jobText(job)).not.toContain('left behind');
});

it('what a running job has made is not left behind', () => {
  const job = jobView('inProgress');
  job.openLedger = [ROW];
  expect(jobText(job)).not.toContain('left behind');
});
