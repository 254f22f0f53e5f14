/**
 * One worker's work on one job and token: what its steps share. Durable facts are in the journal; what stands here is
 * made again by whoever starts anew.
 */
import type { Ledger, Provider, ProviderContext, SourceView } from '../../../providers/contract.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { BOOT_IDENTITY, partialName, SESSION_IDENTITY } from '../../protocol/engine.ts';
import { IpsError } from '../../protocol/errors.ts';
import type { LedgerRow } from '../../protocol/event.ts';
import { EngineClient } from '../engine-client.ts';
import { engineKey } from '../engine-keys.ts';
import { type EngineAddress, EngineSilence, EngineStranger, type PresharedKey } from '../engine-tls.ts';
import type { CredentialDesk } from './credential.ts';
import type { WorkerEnvironment } from './environment.ts';
import type { Interruption } from './interruption.ts';
import { limited, PROVIDER_CALL_MS, PROVIDER_LONG_CALL_MS } from './limits.ts';
import type { JobRecord } from './record.ts';
import type { Supervisor } from './supervisor.ts';

/** Kind of the ledger row of the temporary file on the share. */
export const SHARE_FILE = 'share-file';

/** An engine that exists but is silent this long counts as lost, in ms. */
const ENGINE_SILENCE_MS = 120_000;
const RETRY = { firstMs: 200, maxMs: 5_000 };

export interface AttemptParts {
  environment: WorkerEnvironment;
  record: JobRecord;
  supervisor: Supervisor;
  interruption: Interruption;
  desk: CredentialDesk;
  provider: Provider;
  ledger: Ledger;
  engineSecret: Buffer;
}

export class Attempt {
  readonly environment: WorkerEnvironment;
  readonly record: JobRecord;
  readonly supervisor: Supervisor;
  readonly interruption: Interruption;
  readonly desk: CredentialDesk;
  readonly provider: Provider;
  readonly ledger: Ledger;
  /** What the provider is given: its ledger does not show what is not the platform's. */
  readonly context: ProviderContext;
  readonly bootKey: PresharedKey;
  readonly sessionKey: PresharedKey;
  #source: SourceView | undefined;
  #engine: EngineClient | undefined;

  constructor(parts: AttemptParts) {
    this.environment = parts.environment;
    this.record = parts.record;
    this.supervisor = parts.supervisor;
    this.interruption = parts.interruption;
    this.desk = parts.desk;
    this.provider = parts.provider;
    this.ledger = parts.ledger;
    const { jobId, token } = parts.record;
    this.context = {
      jobId,
      token,
      connectorId: parts.environment.connectorId,
      ledger: platformLedger(parts.ledger),
      log: parts.environment.log,
    };
    this.bootKey = { identity: BOOT_IDENTITY, key: engineKey(parts.engineSecret, jobId, token, 'boot') };
    this.sessionKey = { identity: SESSION_IDENTITY, key: engineKey(parts.engineSecret, jobId, token, 'session') };
  }

  get fileName(): string {
    const { name, format } = this.record.job.parameters.target;
    return `${name}.${format}`;
  }

  get partialName(): string {
    return partialName(this.fileName, this.record.jobId, this.record.token);
  }

  /** What is known of the source already. */
  get knownSource(): SourceView | undefined {
    return this.#source;
  }

  async source(signal: AbortSignal): Promise<SourceView> {
    const { provider, record } = this;
    const look = (inTime: AbortSignal) => provider.describeSource(record.job.parameters, this.context, inTime);
    this.#source ??= await this.platform('describeSource', signal, look, PROVIDER_LONG_CALL_MS);
    return this.#source;
  }

  /**
   * The source looked at anew. Before the engine holds the source's lock, its owner may still change it: only a look
   * from then on tells what the engine will read.
   */
  async lockedSource(signal: AbortSignal): Promise<SourceView> {
    this.#source = undefined;
    return await this.source(signal);
  }

  /** A client for this address under this key; the boot id counts once the journal has it. */
  client(address: EngineAddress, key: PresharedKey): EngineClient {
    return new EngineClient(address, key, this.environment, this.record.job.engine?.bootId);
  }

  /** The engine under its session key. @throws IpsError ENGINE_LOST when the platform does not know where it is */
  async engine(signal: AbortSignal): Promise<EngineClient> {
    if (!this.#engine) {
      // Without the boot id of the first session a restarted engine could not be told from the one we know.
      if (!this.record.job.engine) throw new IpsError('ENGINE_LOST', 'It was never spoken to.');
      const address = await this.platform('engineAddress', signal, (inTime) =>
        this.provider.engineAddress(this.context, inTime),
      );
      if (!address) throw new IpsError('ENGINE_LOST', 'The platform no longer knows its address.');
      this.#engine = this.client(address, this.sessionKey);
    }
    return this.#engine;
  }

  /** A call to the provider, within the ordinary time limit. */
  async platform<T>(
    what: string,
    signal: AbortSignal | undefined,
    call: (signal: AbortSignal) => Promise<T>,
    limitMs: number = PROVIDER_CALL_MS,
  ): Promise<T> {
    const late = () => new IpsError('INTERNAL', `The platform did not answer "${what}" in ${limitMs / 1000} s.`);
    return await limited(this.environment.clock, limitMs, late, signal, call);
  }

  /**
   * Talks to the engine through broken connections, as long as there is an engine to talk to.
   * @throws IpsError ENGINE_LOST when it is gone, ENGINE_IMPOSTOR when another has its address
   */
  async withEngine<T>(signal: AbortSignal, talk: (engine: EngineClient) => Promise<T>): Promise<T> {
    const { clock, random } = this.environment;
    let silentSince: number | undefined;
    for (let tries = 0; ; tries += 1) {
      signal.throwIfAborted();
      try {
        return await talk(await this.engine(signal));
      } catch (error) {
        signal.throwIfAborted();
        const alive = await this.#alive(error, signal);
        if (!alive) throw new IpsError('ENGINE_LOST', 'The platform says that it is not running.');
        if (error instanceof EngineStranger) throw new IpsError('ENGINE_IMPOSTOR', error.message);
        silentSince ??= clock.monotonic();
        if (clock.monotonic() - silentSince > ENGINE_SILENCE_MS) throw new IpsError('ENGINE_LOST', 'It fell silent.');
      }
      await clock.sleep(backoffMs(RETRY, tries, random), signal);
    }
  }

  /** Whether the engine still runs, asked after a failure; a failure of another kind is thrown on. */
  async #alive(failure: unknown, signal: AbortSignal): Promise<boolean> {
    if (!(failure instanceof EngineSilence || failure instanceof EngineStranger)) throw failure;
    try {
      return await this.platform('engineAlive', signal, (inTime) => this.provider.engineAlive(this.context, inTime));
    } catch {
      // A platform that cannot answer now does not say that the engine is gone.
      signal.throwIfAborted();
      return true;
    }
  }
}

function platformLedger(ledger: Ledger): Ledger {
  return {
    intent: (kind, name, details) => ledger.intent(kind, name, details),
    made: (row, platformId) => ledger.made(row, platformId),
    gone: (row) => ledger.gone(row),
    open: () => platformRows(ledger),
  };
}

/** Open rows of what lies on the platform. */
export function platformRows(ledger: Ledger): LedgerRow[] {
  return ledger.open().filter((row) => row.kind !== SHARE_FILE);
}
