/**
 * The one task of this engine, from its start to its end: which requests fit its state, and the events that tell of it.
 *
 * Before the commit, cancel wins. From the moment a commit was asked for, nothing is cancelled any more: when its
 * outcome is not known, it can only be asked for again.
 *
 * Once the task is verified, its partial file goes by the rename or at the holder's word, never by the engine alone: a
 * holder that lost the engine may have been granted the commit, and takes a missing partial file for a renamed one.
 */
import type { EngineEventBody, Verified } from '../protocol/engine.ts';
import { IpsError, isIpsError, toIpsError } from '../protocol/errors.ts';

/** Each may fail with an `IpsError`. */
export interface RunnableTask {
  /** Everything up to "verified". Ends soon after the signal aborts. */
  run(signal: AbortSignal): Promise<Verified>;
  /** Puts the result in place; after a failure it may be tried again. */
  commit(): Promise<void>;
  /** Takes away what the task has made and not committed; after a commit that took place, nothing. */
  discard(): Promise<void>;
}

type State =
  | { kind: 'running'; abort: AbortController; ended: Promise<void> }
  | { kind: 'verified' }
  | { kind: 'discarding'; ended: Promise<void> }
  | { kind: 'committing'; ended: Promise<void> }
  /** A commit was tried and its outcome is not known. */
  | { kind: 'unsettled' }
  /** The server refused the commit: the partial file stays until the holder, who was told, says so. */
  | { kind: 'refused'; error: IpsError }
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
   * Ends the task without a result; the event `cancelled`, or `failed` after a refused commit, tells when that is done.
   * An ended task stays as it is.
   * @throws IpsError JOB_COMMITTING, JOB_OVER
   */
  cancel(): void {
    const state = this.#state;
    if (state.kind === 'running') state.abort.abort(new IpsError('JOB_CANCELLED'));
    else if (state.kind === 'verified') this.#state = { kind: 'discarding', ended: this.#end({ kind: 'cancelled' }) };
    else if (state.kind === 'refused')
      this.#state = { kind: 'discarding', ended: this.#end({ kind: 'failed', error: state.error }) };
    else if (state.kind === 'committing' || state.kind === 'unsettled') throw new IpsError('JOB_COMMITTING');
    else if (state.kind === 'committed') throw new IpsError('JOB_OVER', 'It is committed.');
  }

  /**
   * Returns when the result is in place. Any number of calls have one effect.
   * @throws IpsError TARGET_EXISTS, which is final; SMB codes after which to try again; what ended the task before
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
      case 'refused':
      case 'failed':
        throw state.error;
      case 'cancelled':
      case 'discarding':
        throw new IpsError('JOB_CANCELLED');
      case 'running':
        throw new IpsError('ENGINE_REFUSED', 'The task is not verified yet.');
    }
  }

  /** At the holder's word: returns when nothing of the task is left but a committed file. */
  async finish(): Promise<void> {
    await this.#commitOver();
    if (this.#state.kind === 'unsettled') await this.#discard();
    else if (this.#state.kind === 'verified' || this.#state.kind === 'refused') this.cancel();
    await this.#runOver();
  }

  /** At the deadline: returns when nothing is under way any more. */
  async expire(): Promise<void> {
    await this.#commitOver();
    await this.#runOver();
  }

  async #commitOver(): Promise<void> {
    if (this.#state.kind === 'committing') await this.#state.ended.catch(() => undefined);
  }

  async #runOver(): Promise<void> {
    if (this.#state.kind === 'running') this.cancel();
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
      const refused = isIpsError(error) && error.code === 'TARGET_EXISTS';
      this.#state = refused ? { kind: 'refused', error } : { kind: 'unsettled' };
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
