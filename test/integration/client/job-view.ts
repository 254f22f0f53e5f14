/** A job as the cloud shows it. */
import type { JobState } from '../../../src/protocol/job.ts';
import { type JobEventView, type JobView, jobViewSchema } from '../../../src/protocol/rest.ts';

export function jobView(state: JobState): JobView {
  return jobViewSchema.parse({
    id: 'job-a',
    state,
    step: 'copy',
    overallProgressPercent: 40,
    cancelRequested: false,
    resourceLocation: 'london',
    parameters: {
      type: 'export',
      source: { platform: 'qemu', path: '/d.qcow2' },
      target: { location: 'smb://h/s', name: 'golden', credential: 'c' },
    },
    limits: {},
    findings: [],
    openLedger: [],
    createdBy: 'me',
    createdAt: '2026-11-23T12:00:00.000Z',
  });
}

export function logEvent(id: number): JobEventView {
  return {
    id,
    jobId: 'job-a',
    token: '1.1',
    seq: id,
    at: '2026-11-23T12:00:00.000Z',
    body: { kind: 'log', level: 'info', message: `number ${id}` },
  };
}

/** The event as it stands in a stream. */
export const frame = (event: JobEventView) => `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`;
