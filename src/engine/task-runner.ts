/**
 * The one task of this engine, from its start to its end: which requests fit its state, and the events that tell of it.
 *
 * Before the commit, cancel wins. From the moment a commit was asked for, nothing is cancelled any more: when its
 * outcome is not known, it can only be asked for again.
 */
import type { EngineEventBody, Verified } from '../protocol/engine.ts';
import { IpsError, isIpsError, toIpsError } from '../protocol/errors.ts';

/** Each may fail with an `IpsError`. */
export interface RunnableTask {
  /** Everything up to "verified". Ends soon after the signal aborts. */
  run(signal: AbortSignal): Promise<Verified>;
  /** Puts the result in place; after a failure it may be tried again. */
  commit(): Promise<void>;
  /** Takes away what the task has made and not committed. */
  discard(): Promise<void>;
}

type State =
  | { kind: 'running'; abort: AbortController; ended: Promise<void> }
  | { kind: 'verified' }
  | { kind: 'discarding'; ended: Promise<void> }
  | { kind: 'committing'; ended: Promise<void> }
  /** A commit was tried and its outcome is not known. */
  | { kind: 'unsettled' }
  | { kind: 'committed' }
  | { kind: 'failed'; error: IpsError }
  | { kind: 'cancelled' };

export class TaskRunner {
  readonly #task: RunnableTask;
  readonly #emit: (event: EngineEventBody) => void;
  #state: State;

  /** Starts the task. */
  constructor(task: RunnableTask, emit: (event: EngineEventBody) => void) {
    this.#task = task;
    this.#emit = emit;
    const abort = new AbortController();
    this.#state = { kind: 'running', abort, ended: this.#run(abort.signal) };
  }

  /**
   * Ends the task without a result; the event `cancelled` tells when that is done. An ended task stays as it is.
   * @throws IpsError JOB_COMMITTING, JOB_OVER
   */
  cancel(): void {
    const state = this.#state;
    if (state.kind === 'running') state.abort.abort(new IpsError('JOB_CANCELLED'));
    else if (state.kind === 'verified') this.#state = { kind: 'discarding', ended: this.#end({ kind: 'cancelled' }) };
    else if (state.kind === 'committing' || state.kind === 'unsettled') throw new IpsError('JOB_COMMITTING');
    else if (state.kind === 'committed') throw new IpsError('JOB_OVER', 'It is committed.');
  }

  /**
   * Returns when the result is in place. Any number of calls have one effect.
   * @throws IpsError TARGET_EXISTS and others of the task, which ended it; SMB codes after which to try again
   */
  async commit(): Promise<void> {
    const state = this.#state;
    switch (state.kind) {
      case 'verified':
      case 'unsettled': {
        const ended = this.#commit();
        this.#state = { kind: 'committing', ended };
        return await ended;
      }
      case 'committing':
        return await state.ended;
      case 'committed':
        return;
      case 'failed':
        throw state.error;
      case 'cancelled':
      case 'discarding':
        throw new IpsError('JOB_CANCELLED');
      case 'running':
        throw new IpsError('ENGINE_REFUSED', 'The task is not verified yet.');
    }
  }

  /** Brings the task to an end, whatever it is doing, and returns when nothing of it is left but a committed file. */
  async stop(): Promise<void> {
    if (this.#state.kind === 'committing') await this.#state.ended.catch(() => undefined);
    if (this.#state.kind === 'unsettled') await this.#discard();
    else if (this.#state.kind === 'running' || this.#state.kind === 'verified') this.cancel();
    if (this.#state.kind === 'running' || this.#state.kind === 'discarding') await this.#state.ended;
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      const verified = await this.#task.run(signal);
      signal.throwIfAborted();
      this.#state = { kind: 'verified' };
      this.#emit({ kind: 'verified', verified });
    } catch (error) {
      if (!signal.aborted) this.#tell(error);
      await this.#end(signal.aborted ? { kind: 'cancelled' } : { kind: 'failed', error: toIpsError(error) });
    }
  }

  async #commit(): Promise<void> {
    try {
      await this.#task.commit();
      this.#state = { kind: 'committed' };
      this.#emit({ kind: 'committed' });
    } catch (error) {
      if (isIpsError(error) && error.code === 'TARGET_EXISTS') await this.#end({ kind: 'failed', error });
      else this.#state = { kind: 'unsettled' };
      throw error;
    }
  }

  async #end(end: Extract<State, { kind: 'failed' | 'cancelled' }>): Promise<void> {
    const left = (await this.#discard()) ? {} : ({ partialLeft: true } as const);
    this.#state = end;
    this.#emit(
      end.kind === 'failed' ? { kind: 'failed', error: end.error.report(), ...left } : { kind: 'cancelled', ...left },
    );
  }

  /** What cannot be removed from here, the connector removes. @returns whether it was removed */
  async #discard(): Promise<boolean> {
    try {
      await this.#task.discard();
      return true;
    } catch (error) {
      const message = `The temporary file could not be removed: ${toIpsError(error).message}`;
      this.#emit({ kind: 'log', level: 'warn', message });
      return false;
    }
  }

  /** A failure that the catalogue does not know is a fault of ours: its trace goes into the job's log. */
  #tell(error: unknown): void {
    if (isIpsError(error) || !(error instanceof Error)) return;
    this.#emit({ kind: 'log', level: 'error', message: error.stack ?? error.message });
  }
}
