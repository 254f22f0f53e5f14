/** Doubles for the daemon's parts: a clock that obeys, sockets and workers that a test speaks for, a real journal. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Journal } from '../../../../src/connector/journal.ts';
import { JobLedger } from '../../../../src/connector/ledger.ts';
import type { LinkListener, LinkSocket } from '../../../../src/connector/link-socket.ts';
import type { ToSupervisor, ToWorker, WorkerMode } from '../../../../src/connector/worker-messages.ts';
import type { ForkWorker, WorkerListener } from '../../../../src/connector/worker-process.ts';
import { Doors } from '../../../../src/lib/doors.ts';
import { createLogger, type Logger } from '../../../../src/lib/logging.ts';
import { type RandomSource, systemRandom } from '../../../../src/lib/random.ts';
import { type JobParameters, limitsSchema } from '../../../../src/protocol/job.ts';
import type { ToCloud, ToConnector } from '../../../../src/protocol/link.ts';
import { ManualClock } from '../../engine/manual-clock.ts';

/** A manual clock whose sleepers can be woken by their signal. */
export class TestClock extends ManualClock {
  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.after(ms, resolve);
      signal?.addEventListener('abort', () => {
        timer.cancel();
        reject(signal.reason);
      });
    });
  }

  /** Moves on in steps, and lets promises follow in between. */
  async pass(ms: number, stepMs = 1_000): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.advance(Math.min(stepMs, left));
      await setImmediate();
    }
  }
}

/** Lets everything that waits only for promises happen. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
}

/** Keeps what was logged. */
export function testLog(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({ program: 'test', level: 'debug', format: 'json' });
  log.silent = true;
  const keep = (level: string) => (message: string, fields: object) => {
    lines.push({ level, message, ...fields });
    return log;
  };
  Object.assign(log, { info: keep('info'), warn: keep('warn'), error: keep('error') });
  return { log, lines };
}

/** Always the middle of what is asked for. */
export const middle: RandomSource = { bytes: (count) => Buffer.alloc(count, 7), int: (below) => Math.floor(below / 2) };

export class FakeSocket implements LinkSocket {
  readonly sent: ToCloud[] = [];
  readonly listener: LinkListener;
  pings = 0;
  terminated = false;

  constructor(listener: LinkListener) {
    this.listener = listener;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  ping(): void {
    this.pings += 1;
  }

  close(reason: string): void {
    this.listener.onClose(reason);
  }

  terminate(): void {
    this.terminated = true;
    this.listener.onClose('terminated');
  }

  async says(message: ToConnector | string): Promise<void> {
    this.listener.onHeard();
    this.listener.onText(typeof message === 'string' ? message : JSON.stringify(message));
    await settled();
  }

  async welcomes(generation = 2): Promise<void> {
    await settled();
    await this.says({ type: 'challenge', nonce: 'nonce' });
    await this.says({ type: 'welcome', generation, leaseTtlMs: 30_000, pins: [], jobs: [] });
  }
}

export class FakeWorker {
  readonly heard: ToWorker[] = [];
  readonly ref: { jobId: string; token: string };
  readonly mode: WorkerMode;
  readonly #listener: WorkerListener;
  killed = false;

  constructor(ref: { jobId: string; token: string }, mode: WorkerMode, listener: WorkerListener) {
    this.ref = ref;
    this.mode = mode;
    this.#listener = listener;
  }

  says(message: ToSupervisor): void {
    this.#listener.onMessage(message);
  }

  exits(how = 'exit code 0'): void {
    this.#listener.onExit(how);
  }
}

export function fakeForks(): { fork: ForkWorker; workers: FakeWorker[]; last(): FakeWorker } {
  const workers: FakeWorker[] = [];
  const fork: ForkWorker = (ref, mode, listener) => {
    const worker = new FakeWorker(ref, mode, listener);
    workers.push(worker);
    return {
      send: (message) => {
        worker.heard.push(message);
      },
      kill: () => {
        worker.killed = true;
      },
    };
  };
  return {
    fork,
    workers,
    last: () => {
      const worker = workers.at(-1);
      if (!worker) throw new Error('no worker was forked');
      return worker;
    },
  };
}

export const CONNECTOR_ID = 'con-1';
export const JOB = { jobId: 'job-1', token: '1.1' };
export const LIMITS = limitsSchema.parse({});
export const PARAMETERS: JobParameters = {
  type: 'export',
  source: { platform: 'qemu', path: '/images/master.qcow2' },
  target: { location: 'smb://files/vdisks', name: 'master', format: 'vhdx', credential: 'share' },
  dryRun: false,
};

/** A journal in a folder of its own. */
export function testJournal(clock = new TestClock()): {
  journal: Journal;
  path: string;
  ledger(ref: { jobId: string; token: string }): JobLedger;
  isLedgerEmpty(ref: { jobId: string; token: string }): boolean;
  accept(ref?: { jobId: string; token: string }): void;
  remove(): void;
} {
  const folder = mkdtempSync(join(tmpdir(), 'ips-journal-'));
  const doors = new Doors();
  const path = join(folder, 'journal.db');
  const journal = new Journal(path, doors, clock);
  const ledger = (ref: { jobId: string; token: string }) =>
    new JobLedger({ journal, doors, random: systemRandom() }, { ...ref, connectorId: CONNECTOR_ID });
  return {
    journal,
    path,
    ledger,
    isLedgerEmpty: (ref) => ledger(ref).open().length === 0,
    accept: (ref = JOB) =>
      journal.accept(
        { ...ref, parameters: PARAMETERS, limits: LIMITS, acceptedAt: { bootId: 'boot', ms: 0 } },
        CONNECTOR_ID,
      ),
    remove: () => {
      journal.close();
      rmSync(folder, { recursive: true });
    },
  };
}
