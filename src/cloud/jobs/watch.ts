/** Tells readers that a job has news, and keeps each running job's latest progress, which is never stored. */
import type { Progress } from '../../protocol/job.ts';

type Listener = (progress: Progress | undefined) => void;

export class JobWatch {
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #progress = new Map<string, Progress>();

  /** @returns how to stop listening */
  listen(jobId: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(jobId) ?? new Set();
    this.#listeners.set(jobId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(jobId) === listeners) this.#listeners.delete(jobId);
    };
  }

  /** Something of this job was stored. */
  changed(jobId: string): void {
    for (const listener of this.#listeners.get(jobId) ?? []) listener(undefined);
  }

  setProgress(jobId: string, progress: Progress): void {
    this.#progress.set(jobId, progress);
    for (const listener of this.#listeners.get(jobId) ?? []) listener(progress);
  }

  progress(jobId: string): Progress | undefined {
    return this.#progress.get(jobId);
  }

  dropProgress(jobId: string): void {
    this.#progress.delete(jobId);
  }
}
