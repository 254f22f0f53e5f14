/** An appliance with a state folder of its own, paired with a fake cloud, and its daemon in this process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import winston from 'winston';
import { type ConnectorConfig, loadConfig } from '../../../../src/connector/config.ts';
import { runDaemon } from '../../../../src/connector/daemon.ts';
import { createIdentity } from '../../../../src/connector/identity.ts';
import { Journal } from '../../../../src/connector/journal.ts';
import { type CloudTrust, writeGeneration, writePairing } from '../../../../src/connector/pairing-record.ts';
import { type StatePaths, statePaths } from '../../../../src/connector/state-folder.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { Doors } from '../../../../src/lib/doors.ts';
import { Files } from '../../../../src/lib/files.ts';
import { createLogger } from '../../../../src/lib/logging.ts';
import { systemRandom } from '../../../../src/lib/random.ts';
import { fakeForks } from '../../../unit/connector/daemon/doubles.ts';

export class Appliance {
  readonly paths: StatePaths;
  readonly config: ConnectorConfig;
  readonly forks = fakeForks();
  readonly tools = { doors: new Doors(), clock: systemClock(), random: systemRandom() };
  readonly files = new Files(this.tools.doors);
  /** Everything that the daemon has logged. */
  logged = '';
  readonly #folder = mkdtempSync(join(tmpdir(), 'ips-appliance-'));
  #running: { stop: AbortController; ended: Promise<void> } | undefined;

  constructor() {
    const flags = { 'state-folder': join(this.#folder, 'state') };
    this.config = { ...loadConfig({ file: undefined, environment: {}, flags }) };
    this.paths = statePaths(this.config.stateFolder);
  }

  async pairWith(cloudUrl: URL, trust: CloudTrust): Promise<void> {
    await this.files.makePrivateFolder(this.paths.folder);
    await createIdentity(this.paths, this.files, this.tools.random);
    await writeGeneration(this.paths, this.files, 1);
    await writePairing(this.paths, this.files, {
      cloudUrl: cloudUrl.href,
      trust,
      connectorId: 'con-1',
      connectorName: 'lab-1',
      customerId: 'cus-1',
      resourceLocation: 'lab',
      pairedAt: '2026-01-01T00:00:00.000Z',
    });
  }

  /** The journal, as another process would open it. */
  async withJournal<T>(use: (journal: Journal) => T): Promise<T> {
    await this.files.makePrivateFolder(this.paths.folder);
    const journal = new Journal(this.paths.journal, this.tools.doors, this.tools.clock);
    try {
      return use(journal);
    } finally {
      journal.close();
    }
  }

  /** @returns a promise that rejects when the daemon refuses to run */
  start(): Promise<void> {
    const log = createLogger({ program: 'test', level: 'info', format: 'json' });
    for (const shown of log.transports) shown.silent = true;
    const stream = new Writable({
      write: (chunk, _encoding, done) => {
        this.logged += String(chunk);
        done();
      },
    });
    log.add(new winston.transports.Stream({ stream }));
    const stop = new AbortController();
    const ended = runDaemon(this.config, { ...this.tools, log, fork: this.forks.fork }, stop.signal);
    this.#running = { stop, ended };
    return ended;
  }

  async stop(): Promise<void> {
    this.#running?.stop.abort();
    await this.#running?.ended.catch(() => undefined);
    this.#running = undefined;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
