/**
 * What workers ask the cloud: each question is sent when the link is up, and again after every reconnect, until it is
 * answered or nobody waits for the answer any more. Answers go to the worker that asked.
 */
import { newId } from '../lib/ids.ts';
import type { RandomSource } from '../lib/random.ts';
import { knownReport } from '../protocol/errors.ts';
import type { ToCloud, ToConnector } from '../protocol/link.ts';
import type { JobRef } from './job-ref.ts';
import type { ToSupervisor } from './worker-messages.ts';
import type { WorkerHandle } from './worker-process.ts';

export type WorkerQuestion = Extract<ToSupervisor, { type: 'credentials' | 'commit' }>;
export type CloudAnswer = Extract<ToConnector, { requestId: string }>;

interface Pending {
  worker: WorkerHandle;
  /** The worker's own number for it. */
  workerRequestId: string;
  message: Extract<ToCloud, { requestId: string }>;
}

export class Requests {
  readonly #send: (message: ToCloud) => boolean;
  readonly #random: RandomSource;
  readonly #pending = new Map<string, Pending>();
  #leaseTtlMs = 0;

  constructor(send: (message: ToCloud) => boolean, random: RandomSource) {
    this.#send = send;
    this.#random = random;
  }

  ask(ref: JobRef, worker: WorkerHandle, question: WorkerQuestion): void {
    const requestId = newId('req', this.#random);
    const { jobId, token } = ref;
    const message: Pending['message'] =
      question.type === 'commit'
        ? { type: 'commitRequest', requestId, jobId, token }
        : { type: 'credentialsRequest', requestId, jobId, token, purpose: question.purpose };
    this.#pending.set(requestId, { worker, workerRequestId: question.requestId, message });
    this.#send(message);
  }

  /** The worker does not wait any more: a grant that comes later must not find a job that is being torn down. */
  withdraw(worker: WorkerHandle, workerRequestId: string): void {
    this.#drop((pending) => pending.worker === worker && pending.workerRequestId === workerRequestId);
  }

  workerGone(worker: WorkerHandle): void {
    this.#drop((pending) => pending.worker === worker);
  }

  /** @param leaseTtlMs as the cloud said in its welcome */
  linkUp(leaseTtlMs: number): void {
    this.#leaseTtlMs = leaseTtlMs;
    for (const { message } of this.#pending.values()) this.#send(message);
  }

  answered(answer: CloudAnswer): void {
    const pending = this.#pending.get(answer.requestId);
    if (!pending) return;
    this.#pending.delete(answer.requestId);
    const { worker, workerRequestId: requestId } = pending;
    if (answer.error) worker.send({ type: 'refused', requestId, error: knownReport(answer.error) });
    else if (answer.type === 'commitAnswer') worker.send({ type: 'granted', requestId, leaseTtlMs: this.#leaseTtlMs });
    else worker.send({ type: 'envelopes', requestId, envelopes: answer.envelopes ?? [] });
  }

  /** The cloud says by itself that the grant of this job holds: whoever asks for it is answered. */
  granted({ jobId, token }: JobRef): void {
    for (const [requestId, { message }] of this.#pending)
      if (message.type === 'commitRequest' && message.jobId === jobId && message.token === token)
        this.answered({ type: 'commitAnswer', requestId });
  }

  #drop(isGone: (pending: Pending) => boolean): void {
    for (const [requestId, pending] of this.#pending) if (isGone(pending)) this.#pending.delete(requestId);
  }
}
