/** TLS to the cloud as it was agreed when pairing, with failures in the words of the catalogue. */
import { asCloudError } from '../client/cloud-error.ts';
import { type Clock, deadlineSignal } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import { type PeerTlsOptions, PinnedTls } from '../lib/pinned-tls.ts';
import { IpsError } from '../protocol/errors.ts';
import type { CloudTrust } from './pairing-record.ts';

/** Longest look at the cloud's certificate, in ms. */
const LOOK_LIMIT_MS = 15_000;

export class CloudTls {
  readonly #tls: PinnedTls;
  readonly #clock: Clock;

  constructor(cloud: { url: URL; trust: CloudTrust }, doors: Doors, clock: Clock) {
    this.#tls = new PinnedTls(cloud, doors);
    this.#clock = clock;
  }

  /** @throws IpsError CLOUD_UNREACHABLE, CLOUD_PIN_MISMATCH, CLOUD_CERTIFICATE_REFUSED; the signal's reason */
  async options(signal?: AbortSignal): Promise<PeerTlsOptions> {
    const late = () => new IpsError('CLOUD_UNREACHABLE', 'It did not answer in time.');
    const limit = deadlineSignal(this.#clock, LOOK_LIMIT_MS, late, signal);
    try {
      return await this.#tls.options(limit.signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw asCloudError(error);
    } finally {
      limit.release();
    }
  }

  /** The pin of the key that the cloud showed when it was last looked at; undefined under CA trust. */
  get shownPin(): string | undefined {
    return this.#tls.shownPin;
  }

  /** After a failed connection: the certificate may have been renewed, so it is looked at anew next time. */
  forget(): void {
    this.#tls.forget();
  }
}
