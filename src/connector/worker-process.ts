/**
 * Worker processes: this same program, forked with a message channel. A worker ends when its channel closes, so that
 * none outlives the supervisor that would have to answer it.
 */
import type { Processes } from '../lib/processes.ts';
import type { JobRef } from './leases.ts';
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
 * @param flags global flags that the daemon was started with: a worker reads the same configuration
 */
export function workerForker(program: string, flags: readonly string[], processes: Processes): ForkWorker {
  return (ref, mode, listener) => {
    const args = ['worker', ref.jobId, ref.token, mode, ...flags];
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
    return {
      // A failure to send means that it is going: 'exit' follows.
      send: (message) => {
        if (child.connected) child.send(message, () => undefined);
      },
      kill: () => {
        child.kill('SIGKILL');
      },
    };
  };
}
