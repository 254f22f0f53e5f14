/**
 * A worker as its own process, started by a test: it reaches the platform and the share in the test's process over a
 * UNIX socket, its supervisor over the fork's channel, and kills itself with SIGKILL at the door it is told.
 * Argument: JSON as `WorkerOrder`.
 */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { acquireJobLock, jobLockName } from '../../../../src/connector/job-lock.ts';
import { runWorker } from '../../../../src/connector/worker/main.ts';
import { processChannel } from '../../../../src/connector/worker/process-channel.ts';
import type { WorkerMode } from '../../../../src/connector/worker-messages.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { Doors, type DoorWatcher } from '../../../../src/lib/doors.ts';
import { createLogger } from '../../../../src/lib/logging.ts';
import { systemRandom } from '../../../../src/lib/random.ts';
import { readPrivateKey } from '../../../../src/lib/seal.ts';
import { IpsError, isErrorCode } from '../../../../src/protocol/errors.ts';
import { ProviderDouble } from '../../../doubles/provider.ts';

/** The n-th passage (from 1) of a door's point, before or after its effect. */
export interface KillPoint {
  door: string;
  point: string;
  nth: number;
  when: 'before' | 'after';
}

export interface WorkerOrder {
  folder: string;
  platformSocket: string;
  jobId: string;
  token: string;
  mode: Exclude<WorkerMode, 'claim'>;
  kill?: KillPoint;
  /** Tells each passage to the test. */
  record?: boolean;
}

const order = JSON.parse(process.argv[2] ?? '{}') as WorkerOrder;
const counts = new Map<string, number>();
const watcher: DoorWatcher = {
  before(door, point) {
    const nth = (counts.get(`${door} ${point}`) ?? 0) + 1;
    counts.set(`${door} ${point}`, nth);
    if (order.record) process.send?.({ type: 'passage', door, point, nth });
    dieAt('before', door, point);
  },
  after: (door, point) => dieAt('after', door, point),
};

function dieAt(when: string, door: string, point: string): void {
  const { kill } = order;
  if (!kill || kill.when !== when || kill.door !== door || kill.point !== point) return;
  if (counts.get(`${door} ${point}`) === kill.nth) process.kill(process.pid, 'SIGKILL');
}

function call(method: string, ...args: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ask = request({ socketPath: order.platformSocket, method: 'POST', path: '/' }, async (response) => {
      let text = '';
      for await (const chunk of response) text += String(chunk);
      const { answer, code } = JSON.parse(text) as { answer?: unknown; code?: unknown };
      if (isErrorCode(code)) reject(new IpsError(code));
      else resolve(answer);
    });
    ask.once('error', reject);
    ask.end(JSON.stringify([method, ...args]));
  });
}

const doors = new Doors(watcher);
const clock = systemClock();
await runWorker(
  {
    connectorId: 'connector-1',
    customerId: 'customer-1',
    journalPath: `${order.folder}/journal.db`,
    engineSecretPath: `${order.folder}/engine.secret`,
    sealKey: readPrivateKey(readFileSync(`${order.folder}/seal.pem`, 'utf8')),
    engineStartTimeoutMs: 15_000,
    openProvider: async () => new ProviderDouble(call, doors),
    openShare: () => ({
      probe: async () => (await call('share', 'probe', '')) as { freeBytes: number },
      size: async (name) => (await call('share', 'size', name)) as number | undefined,
      remove: async (name) => void (await doors.pass('file', 'smb.remove', () => call('share', 'remove', name))),
    }),
    acquireLock: (jobId) => acquireJobLock(jobLockName(order.folder, jobId), clock),
    channel: processChannel().channel,
    doors,
    clock,
    random: systemRandom(),
    log: createLogger({ program: 'worker', level: 'error', format: 'text' }),
  },
  order.jobId,
  order.token,
  order.mode,
);
process.exit(0);
