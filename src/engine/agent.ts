/**
 * What the engine's API does, without any network: one session, one task, one deadline, one log of events.
 * Requests arrive here only when their key was found good.
 */
import type { z } from 'zod';
import {
  commitRequestSchema,
  deadlineRequestSchema,
  type EngineEventBody,
  type EngineStatus,
  type EngineTask,
  engineTaskSchema,
  sessionRequestSchema,
  type UserData,
} from '../protocol/engine.ts';
import { IpsError } from '../protocol/errors.ts';
import type { Deadline } from './deadline.ts';
import type { EventLog } from './event-log.ts';
import type { EngineKeys } from './keys.ts';
import { type RunnableTask, TaskRunner } from './task-runner.ts';

export interface AgentParts {
  bootId: string;
  engineVersion: string;
  userData: UserData;
  keys: EngineKeys;
  events: EventLog;
  deadline: Deadline;
  /** Makes the task's work; nothing runs before `run` is called. */
  createTask: (task: EngineTask, emit: (event: EngineEventBody) => void) => RunnableTask;
}

export class Agent {
  readonly #parts: AgentParts;
  #task: { partialName: string; runner: TaskRunner } | undefined;

  constructor(parts: AgentParts) {
    this.#parts = parts;
  }

  get bootId(): string {
    return this.#parts.bootId;
  }

  get keys(): EngineKeys {
    return this.#parts.keys;
  }

  get events(): EventLog {
    return this.#parts.events;
  }

  status(): EngineStatus {
    return { bootId: this.#parts.bootId, engineVersion: this.#parts.engineVersion };
  }

  /** @throws IpsError REQUEST_INVALID, ENGINE_REFUSED */
  openSession(body: unknown): EngineStatus {
    this.#parts.keys.setSession(parse(sessionRequestSchema, body).sessionKey);
    return this.status();
  }

  /**
   * Starts the task, unless it is started already.
   * @returns whether it was started now
   * @throws IpsError ENGINE_REFUSED when it is not this engine's job, or another task runs
   */
  startTask(body: unknown): boolean {
    const request = parse(engineTaskSchema, body);
    const { jobId, token } = this.#parts.userData;
    if (request.jobId !== jobId || request.token !== token) {
      throw new IpsError('ENGINE_REFUSED', 'It was made for another job or token.');
    }
    const { partialName } = request.target;
    if (this.#task !== undefined) {
      // The partial file's name says what is made, for which job and token. The rest may have changed with a caller that
      // died and asks again: the share's password, the map of the source.
      if (this.#task.partialName === partialName) return false;
      throw new IpsError('ENGINE_REFUSED', 'It has another task already.');
    }
    const emit = (event: EngineEventBody) => this.#parts.events.append(event);
    this.#task = { partialName, runner: new TaskRunner(this.#parts.createTask(request, emit), emit) };
    return true;
  }

  /** @throws IpsError REQUEST_INVALID */
  extendDeadline(body: unknown): void {
    this.#parts.deadline.extend(parse(deadlineRequestSchema, body).seconds);
  }

  /** @throws IpsError ENGINE_REFUSED, JOB_COMMITTING, JOB_OVER */
  cancel(): void {
    this.#runner().cancel();
  }

  /** @throws IpsError ENGINE_REFUSED, TARGET_EXISTS, SMB codes */
  async commit(body: unknown): Promise<void> {
    const { token } = parse(commitRequestSchema, body);
    if (token !== this.#parts.userData.token) throw new IpsError('ENGINE_REFUSED', 'It holds another token.');
    await this.#runner().commit();
  }

  /** At the holder's word: ends the task, if there is one, and leaves nothing uncommitted behind. */
  async finish(): Promise<void> {
    await this.#task?.runner.finish();
  }

  /** At the deadline: ends the task, if there is one. */
  async expire(): Promise<void> {
    await this.#task?.runner.expire();
  }

  #runner(): TaskRunner {
    if (this.#task === undefined) throw new IpsError('ENGINE_REFUSED', 'It has no task yet.');
    return this.#task.runner;
  }
}

/** Names the fields that are wrong, never their content, which may be a secret. */
function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.map(String).join('.') || 'body');
  throw new IpsError('REQUEST_INVALID', `(${fields.join(', ')})`);
}
