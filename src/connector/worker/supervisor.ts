/** The worker's questions to its supervisor: each is answered once, however long the cloud is away. */
import type { Clock } from '../../lib/clock.ts';
import { IpsError } from '../../protocol/errors.ts';
import type { CredentialEnvelope, CredentialPurpose } from '../../protocol/link.ts';
import type { ToWorker } from '../worker-messages.ts';
import type { WorkerChannel } from './environment.ts';

type Answer = Extract<ToWorker, { requestId: string }>;

export class Supervisor {
  readonly #channel: WorkerChannel;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, (answer: Answer) => void>();
  readonly #lookers: (() => void)[] = [];
  #asked = 0;

  constructor(channel: WorkerChannel, clock: Clock) {
    this.#channel = channel;
    this.#clock = clock;
    channel.onMessage((message) => {
      if (message.type === 'look') for (const look of this.#lookers) look();
      else if ('requestId' in message) this.#waiting.get(message.requestId)?.(message);
    });
  }

  /** Calls `look` whenever the journal has news of a cancel or a stop. */
  onLook(look: () => void): void {
    this.#lookers.push(look);
  }

  /**
   * The sealed credentials of the job.
   * @throws IpsError as the cloud refused it; the signal's reason
   */
  async credentials(purpose: CredentialPurpose, signal: AbortSignal): Promise<CredentialEnvelope[]> {
    const answer = await this.#ask((requestId) => ({ type: 'credentials', requestId, purpose }), signal);
    return answer.type === 'envelopes' ? answer.envelopes : [];
  }

  /**
   * Waits for the grant to commit. It counts from when it was asked for, which is before the cloud began to count.
   * @returns the monotonic time, in ms, from which on it counts no more
   * @throws IpsError as the cloud refused it; the signal's reason
   */
  async grant(signal: AbortSignal): Promise<number> {
    const askedAt = this.#clock.monotonic();
    const answer = await this.#ask((requestId) => ({ type: 'commit', requestId }), signal);
    return answer.type === 'granted' ? askedAt + answer.leaseTtlMs : askedAt;
  }

  #ask(question: (requestId: string) => Parameters<WorkerChannel['send']>[0], signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      this.#asked += 1;
      const requestId = String(this.#asked);
      const aborted = () => {
        this.#waiting.delete(requestId);
        this.#channel.send({ type: 'withdrawn', requestId });
        reject(signal.reason);
      };
      signal.addEventListener('abort', aborted, { once: true });
      this.#waiting.set(requestId, (answer) => {
        this.#waiting.delete(requestId);
        signal.removeEventListener('abort', aborted);
        if (answer.type === 'refused') reject(IpsError.from(answer.error));
        else resolve(answer);
      });
      this.#channel.send(question(requestId));
    });
  }
}
