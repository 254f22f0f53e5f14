/** A task whose steps a test lets pass or fail, one by one, and an agent around it. */
import { Agent } from '../../../src/engine/agent.ts';
import { Deadline } from '../../../src/engine/deadline.ts';
import { EventLog } from '../../../src/engine/event-log.ts';
import { EngineKeys } from '../../../src/engine/keys.ts';
import type { RunnableTask } from '../../../src/engine/task-runner.ts';
import type { ExportTask, Verified } from '../../../src/protocol/engine.ts';
import { ManualClock } from './manual-clock.ts';

export const VERIFIED: Verified = {
  virtualSize: 1024,
  fileSize: 2048,
  hashes: [{ algorithm: 'content/sha256-4m', scope: 'copy', value: '00'.repeat(32) }],
  allocationDigest: '11',
  filterVersion: 'none/1',
  bytesRead: 1024,
  bytesSkipped: 0,
  bytesWritten: 2048,
};

export class ScriptedTask implements RunnableTask {
  readonly calls: string[] = [];
  readonly verified = Promise.withResolvers<Verified>();
  commitWork: () => Promise<void> = async () => undefined;
  discardWork: () => Promise<void> = async () => undefined;

  async run(signal: AbortSignal): Promise<Verified> {
    this.calls.push('run');
    signal.addEventListener('abort', () => this.verified.reject(signal.reason));
    return await this.verified.promise;
  }

  async commit(): Promise<void> {
    this.calls.push('commit');
    await this.commitWork();
  }

  async discard(): Promise<void> {
    this.calls.push('discard');
    await this.discardWork();
  }
}

export const EXPORT: ExportTask = {
  kind: 'export',
  jobId: 'job-1',
  token: '1.1',
  source: { serial: 'ips-source', virtualSize: 1024 },
  target: {
    share: { host: 'h', port: 445, share: 's', folder: '', username: 'u', password: 'secret-p' },
    fileName: 'x.vhdx',
    partialName: '.x.vhdx.job-1.1.1.partial',
    format: 'vhdx',
    identity: '00'.repeat(16),
  },
};

export function scriptedAgent(): { agent: Agent; task: ScriptedTask; events: EventLog } {
  const task = new ScriptedTask();
  const clock = new ManualClock();
  const events = new EventLog('boot-1');
  const deadline = new Deadline({ clock, uptime: () => 0, seconds: 60, hardSeconds: 60, onPassed: () => undefined });
  const bootKey = '11'.repeat(32);
  const userData = { jobId: 'job-1', token: '1.1', bootKey, deadlineSeconds: 60, hardDeadlineSeconds: 60 };
  const parts = { bootId: 'boot-1', engineVersion: '1', userData, keys: new EngineKeys(bootKey), events, deadline };
  return { agent: new Agent({ ...parts, createTask: () => task }), task, events };
}

/** Lets all that can settle settle. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
