/**
 * Worker processes: this same program, forked with a message channel. A worker ends when its channel closes, so that
 * none outlives the supervisor that would have to answer it.
 */
import type { Processes } from '../lib/processes.ts';
import type { ConnectorConfig } from './config.ts';
import type { JobRef } from './job-ref.ts';
import type { ToSupervisor, ToWorker, WorkerMode } from './worker-messages.ts';

export interface WorkerHandle {
  send(message: ToWorker): void;
  /** Ends it at once (SIGKILL). */
  kill(): void;
}

export interface WorkerListener {
  onMessage(message: ToSupervisor): void;
  /** It is gone. @param how for the log */
  onExit(how: string): void;
}

export type ForkWorker = (ref: JobRef, mode: WorkerMode, listener: WorkerListener) => WorkerHandle;

/**
 * @param program path of this program's main module
 * @param config what the daemon runs with: a worker is told, and does not read the file again, which somebody may be
 *   editing
 */
export function workerForker(program: string, config: ConnectorConfig, processes: Processes): ForkWorker {
  return (ref, mode, listener) => {
    const args = ['worker', ref.jobId, ref.token, mode];
    const child = processes.forkModule(program, args, { door: 'platform', point: `worker.${mode}` });
    let gone = false;
    const exit = (how: string) => {
      if (gone) return;
      gone = true;
      listener.onExit(how);
    };
    child.on('message', (message) => listener.onMessage(message as ToSupervisor));
    child.once('error', (error) => exit(error.message));
    child.once('exit', (code, signal) => exit(signal === null ? `exit code ${code}` : `signal ${signal}`));
    const send = (message: ToWorker) => {
      // A failure to send means that it is going: 'exit' follows.
      if (child.connected) child.send(message, () => undefined);
    };
    send({ type: 'configuration', config });
    return {
      send,
      kill: () => {
        child.kill('SIGKILL');
      },
    };
  };
}
