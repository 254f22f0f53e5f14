/**
 * The daemon: identity, journal, supervisor and link put together. It runs until it is told to stop; then it just ends,
 * since everything that matters is in the journal and the engines go on without it.
 */
import type { Clock } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import { Files } from '../lib/files.ts';
import { newId } from '../lib/ids.ts';
import type { Logger } from '../lib/logging.ts';
import { PIN_PATTERN } from '../lib/pinned-tls.ts';
import type { RandomSource } from '../lib/random.ts';
import { VERSION } from '../lib/version.ts';
import { CloudTls } from './cloud-tls.ts';
import type { ConnectorConfig } from './config.ts';
import { lockStateFolder } from './daemon-lock.ts';
import { HealthFile } from './health.ts';
import { type Identity, loadIdentity, signText } from './identity.ts';
import type { Journal } from './journal.ts';
import { JobLedger } from './ledger.ts';
import { Link, type LinkHost } from './link.ts';
import type { Welcome } from './link-session.ts';
import { linkDialer } from './link-socket.ts';
import { type PairingRecord, readGeneration, requirePairing, writeGeneration, writePairing } from './pairing-record.ts';
import { openJournal, requirePrivate, type StatePaths, statePaths } from './state-folder.ts';
import { Supervisor } from './supervisor.ts';
import type { ForkWorker } from './worker-process.ts';

export interface DaemonTools {
  doors: Doors;
  clock: Clock;
  random: RandomSource;
  log: Logger;
  fork: ForkWorker;
}

/**
 * Runs until `signal` aborts.
 * @throws IpsError NOT_PAIRED, FILE_NOT_PRIVATE, WRONG_USER, IN_USE, CONNECTOR_REFUSED, CONFIG_INVALID
 */
export async function runDaemon(config: ConnectorConfig, tools: DaemonTools, signal: AbortSignal): Promise<void> {
  const paths = statePaths(config.stateFolder);
  const pairing = await requirePairing(paths);
  await requirePrivate(paths);
  const identity = await loadIdentity(paths);
  const lock = await lockStateFolder(config.stateFolder, tools.clock);
  const journal = await openJournal(paths, tools);
  const daemon = new Daemon(config, paths, { pairing, identity, journal }, tools);
  try {
    tools.log.info('the connector starts', {
      version: VERSION,
      connector: pairing.connectorName,
      cloud: pairing.cloudUrl,
      jobs: journal.jobs().length,
    });
    await daemon.run(signal);
    tools.log.info('the connector stops; engines go on, and the next start goes on with them');
  } finally {
    journal.close();
    await lock.release();
  }
}

class Daemon {
  readonly #paths: StatePaths;
  readonly #files: Files;
  readonly #identity: Identity;
  readonly #tools: DaemonTools;
  readonly #supervisor: Supervisor;
  readonly #health: HealthFile;
  readonly #link: Link;
  #pairing: PairingRecord;
  /** Trusts what the pairing says now. */
  #tls: CloudTls;

  constructor(
    config: ConnectorConfig,
    paths: StatePaths,
    parts: { pairing: PairingRecord; identity: Identity; journal: Journal },
    tools: DaemonTools,
  ) {
    const { doors, random, clock, log } = tools;
    const { connectorId } = parts.pairing;
    this.#paths = paths;
    this.#tools = tools;
    this.#files = new Files(doors);
    this.#identity = parts.identity;
    this.#pairing = parts.pairing;
    this.#tls = this.#newTls();
    this.#health = new HealthFile(paths, VERSION, { files: this.#files, clock, log });
    this.#supervisor = new Supervisor({
      ...tools,
      journal: parts.journal,
      connectorId,
      slots: config.slots,
      send: (message) => this.#link.send(message),
      isLedgerEmpty: (ref) =>
        new JobLedger({ journal: parts.journal, doors, random }, { ...ref, connectorId }).open().length === 0,
    });
    this.#link = new Link(this.#host(config, newId('run', random)), {
      ...tools,
      dial: (...call) => linkDialer(new URL(parts.pairing.cloudUrl), this.#tls)(...call),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#supervisor.start();
    try {
      await this.#link.run(signal);
    } finally {
      this.#supervisor.stop();
      await this.#health.written();
    }
  }

  #host(config: ConnectorConfig, instanceId: string): LinkHost {
    const { connectorId } = this.#pairing;
    return {
      hello: async () => ({
        connectorId,
        instanceId,
        generation: await readGeneration(this.#paths),
        version: VERSION,
        platforms: config.platforms,
        slots: config.slots,
        jobs: this.#supervisor.held(),
      }),
      sign: (text) => signText(this.#identity, text),
      storeWelcome: (welcome) => this.#storeWelcome(welcome),
      onUp: (welcome) => {
        this.#tools.log.info('connected to the cloud', { cloud: this.#pairing.cloudUrl });
        this.#health.linkUp();
        this.#supervisor.linkUp(welcome);
      },
      onDown: (error, nextTryMs) => {
        this.#supervisor.linkDown();
        this.#health.linkDown(error, nextTryMs);
      },
      onMessage: (message) => this.#supervisor.handle(message),
    };
  }

  async #storeWelcome(welcome: Welcome): Promise<void> {
    const { trust } = this.#pairing;
    if (trust.kind === 'pins') await this.#heedPins(trust.pins, welcome.pins);
    await writeGeneration(this.#paths, this.#files, welcome.generation);
  }

  /**
   * Takes the pins that the cloud announces, if the key that we talk to is one of them: without it, behind something
   * that ends the cloud's TLS with a key of its own, the next connection would be refused, and all after it.
   */
  async #heedPins(known: readonly string[], announced: string[]): Promise<void> {
    const { log } = this.#tools;
    if (announced.length === 0 || isSameSet(known, announced)) return;
    const shown = this.#tls.shownPin;
    if (shown === undefined || !announced.includes(shown) || !announced.every((pin) => PIN_PATTERN.test(pin))) {
      log.warn('the cloud announced pins under which it could not be reached from here; the known ones stay', {
        shown,
        announced,
      });
      return;
    }
    const pairing: PairingRecord = { ...this.#pairing, trust: { kind: 'pins', pins: announced } };
    await writePairing(this.#paths, this.#files, pairing);
    this.#pairing = pairing;
    this.#tls = this.#newTls();
    log.info('the cloud announced its pins', { pins: announced });
  }

  #newTls(): CloudTls {
    const { cloudUrl, trust } = this.#pairing;
    return new CloudTls({ url: new URL(cloudUrl), trust }, this.#tools.doors, this.#tools.clock);
  }
}

function isSameSet(one: readonly string[], other: readonly string[]): boolean {
  return one.every((pin) => other.includes(pin)) && other.every((pin) => one.includes(pin));
}
