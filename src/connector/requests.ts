/**
 * What workers ask the cloud: each question is sent when the link is up, and again after every reconnect, until it is
 * answered. Answers go to the worker that asked; a worker that is gone is not answered.
 */
import { newId } from '../lib/ids.ts';
import type { RandomSource } from '../lib/random.ts';
import { type ErrorReport, isErrorCode } from '../protocol/errors.ts';
import type { ToCloud, ToConnector } from '../protocol/link.ts';
import type { JobRef } from './leases.ts';
import type { ToSupervisor } from './worker-messages.ts';
import type { WorkerHandle } from './worker-process.ts';

export type WorkerQuestion = Extract<ToSupervisor, { requestId: string }>;
export type CloudAnswer = Extract<ToConnector, { requestId: string }>;

interface Pending {
  worker: WorkerHandle;
  /** The worker's own number for it. */
  workerRequestId: string;
  message: ToCloud;
}

export class Requests {
  readonly #send: (message: ToCloud) => boolean;
  readonly #random: RandomSource;
  readonly #pending = new Map<string, Pending>();

  constructor(send: (message: ToCloud) => boolean, random: RandomSource) {
    this.#send = send;
    this.#random = random;
  }

  ask(ref: JobRef, worker: WorkerHandle, question: WorkerQuestion): void {
    const requestId = newId('req', this.#random);
    const { jobId, token } = ref;
    const message: ToCloud =
      question.type === 'commit'
        ? { type: 'commitRequest', requestId, jobId, token }
        : { type: 'credentialsRequest', requestId, jobId, token, purpose: question.purpose };
    this.#pending.set(requestId, { worker, workerRequestId: question.requestId, message });
    this.#send(message);
  }

  linkUp(): void {
    for (const { message } of this.#pending.values()) this.#send(message);
  }

  answered(answer: CloudAnswer): void {
    const pending = this.#pending.get(answer.requestId);
    if (!pending) return;
    this.#pending.delete(answer.requestId);
    const { worker, workerRequestId: requestId } = pending;
    const error = answer.error && knownReport(answer.error);
    if (answer.type === 'commitAnswer') worker.send({ type: answer.type, requestId, ...(error ? { error } : {}) });
    else {
      const { type, envelopes } = answer;
      worker.send({ type, requestId, ...(envelopes ? { envelopes } : {}), ...(error ? { error } : {}) });
    }
  }

  workerGone(worker: WorkerHandle): void {
    for (const [requestId, pending] of this.#pending) if (pending.worker === worker) this.#pending.delete(requestId);
  }
}

/** An error as it came over the wire; a code that this release does not know becomes `INTERNAL`. */
function knownReport(error: { code: string; message: string; hint: string }): ErrorReport {
  return { ...error, code: isErrorCode(error.code) ? error.code : 'INTERNAL' };
}
