/**
 * What the engine's API does, without any network: one session, one task, one deadline, one log of events.
 * Requests arrive here only when their key was found good.
 */
import {
  commitRequestSchema,
  deadlineRequestSchema,
  type EngineEventBody,
  type EngineTask,
  engineTaskSchema,
  type SessionAnswer,
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
  #task: { request: EngineTask; runner: TaskRunner } | undefined;

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

  status(): SessionAnswer {
    return { bootId: this.#parts.bootId, engineVersion: this.#parts.engineVersion };
  }

  /** @throws IpsError REQUEST_INVALID, ENGINE_REFUSED */
  openSession(body: unknown): SessionAnswer {
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
    if (this.#task !== undefined) {
      // A share's password may have changed since; job and token are what makes it the same task.
      if (this.#task.request.kind === request.kind && isSameTarget(this.#task.request, request)) return false;
      throw new IpsError('ENGINE_REFUSED', 'It has another task already.');
    }
    const emit = (event: EngineEventBody) => this.#parts.events.append(event);
    this.#task = { request, runner: new TaskRunner(this.#parts.createTask(request, emit), emit) };
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
    if (token !== this.#parts.userData.token) throw new IpsError('ENGINE_REFUSED', `It holds another token.`);
    await this.#runner().commit();
  }

  /** Ends the task, if there is one, and leaves nothing uncommitted behind. */
  async stop(): Promise<void> {
    await this.#task?.runner.stop();
  }

  #runner(): TaskRunner {
    if (this.#task === undefined) throw new IpsError('ENGINE_REFUSED', 'It has no task yet.');
    return this.#task.runner;
  }
}

function isSameTarget(a: EngineTask, b: EngineTask): boolean {
  // Not the map of the source: a caller that died and asks again may have made it anew.
  const { serial, virtualSize } = a.source;
  return (
    a.target.partialName === b.target.partialName && serial === b.source.serial && virtualSize === b.source.virtualSize
  );
}

interface Schema<T> {
  safeParse(
    value: unknown,
  ): { success: true; data: T } | { success: false; error: { issues: { path: PropertyKey[] }[] } };
}

/** Names the fields that are wrong, never their content, which may be a secret. */
function parse<T>(schema: Schema<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.map(String).join('.') || 'body');
  throw new IpsError('REQUEST_INVALID', `(${fields.join(', ')})`);
}
