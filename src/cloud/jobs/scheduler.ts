/**
 * Who gets which job, and when waiting is over. A pass looks at the queue; a sweep looks at running jobs whose holder
 * was not heard for too long. Passes never overlap. Nothing is decided from memory but leases, waits and who is
 * connected; every decision is carried out by a conditional change of the store.
 */
import type { Timer } from '../../lib/clock.ts';
import { IpsError } from '../../protocol/errors.ts';
import type { JobState } from '../../protocol/job.ts';
import type { LiveConnector } from '../connectors/registry.ts';
import type { JobRecord } from '../store/jobs.ts';
import { makeOffer } from './offers.ts';
import { endByCloud, requeue } from './own-events.ts';
import { type JobTools, now } from './tools.ts';
import { Waits } from './waits.ts';

/** Between two looks at queue and holders when nothing else causes one. Milliseconds. */
const SWEEP_EVERY_MS = 5_000;

type Ending = Parameters<typeof endByCloud>[5];

export class Scheduler {
  readonly #tools: JobTools;
  readonly #offerTimeoutMs: number;
  readonly #waits: Waits;
  /** Connectors that let an offer of the job time out: asked again, but after the others. */
  readonly #slow = new Map<string, Set<string>>();
  /** When an offer went out (or this process first saw it), monotonic, by job and token. */
  readonly #offered = new Map<string, number>();
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(tools: JobTools, terms: { offerTimeoutMs: number }) {
    this.#tools = tools;
    this.#offerTimeoutMs = terms.offerTimeoutMs;
    this.#waits = new Waits(tools.clock);
  }

  start(): void {
    this.#timer = this.#tools.clock.every(SWEEP_EVERY_MS, () => this.wake(), { background: true });
    this.wake();
  }

  /** Resolves when no pass is running any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  /** Something has changed that may let a job start or end. */
  wake(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#running ??= this.#run();
  }

  /** Resolves when what `wake` began is done. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        await this.#pass();
      } catch (error) {
        this.#tools.log.error('the scheduler met an error', { error });
      }
    }
    this.#running = undefined;
  }

  async #pass(): Promise<void> {
    const jobs = await this.#tools.store.jobs.inStates(['queued', 'inProgress', 'committing']);
    const load = new Map<string, number>();
    const count = (id: string | undefined) => id !== undefined && load.set(id, (load.get(id) ?? 0) + 1);
    const live = new Set(jobs.map((job) => job.id));
    for (const job of jobs) {
      count(job.connectorId);
      count(job.offer?.connectorId);
    }
    for (const job of jobs) {
      try {
        if (job.state === 'queued') await this.#queued(job, load);
        else await this.#held(job, load);
      } catch (error) {
        // One job, of one customer, must not keep those behind it waiting.
        this.#tools.log.error('a job could not be scheduled', { jobId: job.id, error });
      }
    }
    this.#waits.keepOnly((what) => live.has(what.split(' ')[1] ?? ''));
    for (const id of this.#slow.keys()) if (!live.has(id)) this.#slow.delete(id);
    for (const key of this.#offered.keys()) if (!live.has(key.split(' ')[0] ?? '')) this.#offered.delete(key);
  }

  async #queued(job: JobRecord, load: Map<string, number>): Promise<void> {
    if (job.cancelRequested) return await this.#end(job, ['queued'], { state: 'cancelled' });
    if (this.#waits.isOver(`queue ${job.id}`, job.queuedAt, job.limits.queueTimeoutSeconds * 1000))
      return await this.#end(job, ['queued'], { state: 'failed', error: new IpsError('NO_CONNECTOR').report() });
    if (job.offer) return await this.#overdue(job);
    const declines = await this.#tools.store.jobs.declines(job.id);
    const declined = new Set(declines.map(({ connectorId }) => connectorId));
    const able = (await this.#tools.store.connectors.ofLocation(job.locationId)).filter(
      (connector) => connector.standing !== 'lost' && connector.platforms.includes(job.platform),
    );
    const last = declines.at(-1);
    if (last && able.every((connector) => declined.has(connector.id)))
      return await this.#end(job, ['queued'], { state: 'failed', error: last.error });
    await this.#offer(job, load, declined);
  }

  /** A running job: nothing happens while its holder is heard, or when there is nobody else. */
  async #held(job: JobRecord, load: Map<string, number>): Promise<void> {
    const { store, leases, epoch } = this.#tools;
    // Asked in each pass, needed or not: the wait is counted from the first time, and a wall clock that jumps later is harmless.
    const { timeoutSeconds, cleanupTimeoutSeconds } = job.limits;
    const limitMs = (timeoutSeconds + cleanupTimeoutSeconds) * 1000;
    const isTooLong = this.#waits.isOver(`run ${job.id}`, job.startedAt ?? job.createdAt, limitMs);
    if (job.token === undefined || !leases.isExpired(job.id, job.token)) return;
    const holder = await store.connectors.byId(job.connectorId ?? '');
    const isGone = holder === undefined || holder.standing === 'lost';
    if (job.state === 'committing') {
      if (isGone)
        await this.#end(job, ['committing'], { state: 'failed', error: new IpsError('COMMIT_UNKNOWN').report() });
      return;
    }
    if (job.cancelRequested) return await this.#end(job, ['inProgress'], { state: 'cancelled' });
    if (isTooLong)
      return await this.#end(job, ['inProgress'], { state: 'failed', error: new IpsError('JOB_TIMEOUT').report() });
    if (isGone) {
      await store.change('job.requeue', (tx) => requeue(tx, job, epoch, now(this.#tools)));
      this.#tools.watch.changed(job.id);
      this.#again = true;
      return;
    }
    if (job.offer) return await this.#overdue(job);
    const declines = await store.jobs.declines(job.id);
    const declined = new Set([holder.id, ...declines.map(({ connectorId }) => connectorId)]);
    await this.#offer(job, load, declined);
  }

  async #offer(job: JobRecord, load: Map<string, number>, except: ReadonlySet<string>): Promise<void> {
    const { store, registry, clock } = this.#tools;
    const trusted = new Set(
      (await store.connectors.ofLocation(job.locationId))
        .filter(({ standing }) => standing === 'trusted')
        .map(({ id }) => id),
    );
    const slow = this.#slow.get(job.id);
    const rank = (live: LiveConnector) => (slow?.has(live.connectorId) ? 1e6 : 0) + (load.get(live.connectorId) ?? 0);
    const [to] = registry
      .ofLocation(job.locationId)
      .filter((live) => trusted.has(live.connectorId) && !except.has(live.connectorId))
      .filter((live) => live.platforms.includes(job.platform) && (load.get(live.connectorId) ?? 0) < live.slots)
      .sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
    const token = to && (await makeOffer(this.#tools, job, to));
    if (!to || token === undefined) return;
    this.#offered.set(`${job.id} ${token}`, clock.monotonic());
    load.set(to.connectorId, (load.get(to.connectorId) ?? 0) + 1);
    clock.after(this.#offerTimeoutMs, () => this.wake(), { background: true });
  }

  /** An offer that nobody answers goes to somebody else. */
  async #overdue(job: JobRecord): Promise<void> {
    if (!job.offer) return;
    const { connectorId, token } = job.offer;
    const offered = this.#offered.get(`${job.id} ${token}`) ?? this.#tools.clock.monotonic();
    this.#offered.set(`${job.id} ${token}`, offered);
    if (this.#tools.clock.monotonic() - offered < this.#offerTimeoutMs) return;
    const withdrawn = await this.#tools.store.change('job.withdraw', (tx) =>
      tx.transitions.withdrawOffer(job.id, token),
    );
    if (!withdrawn) return;
    const slow = this.#slow.get(job.id) ?? new Set();
    this.#slow.set(job.id, slow.add(connectorId));
    this.#again = true;
  }

  async #end(job: JobRecord, from: readonly JobState[], ending: Ending): Promise<void> {
    const at = now(this.#tools);
    const ended = await this.#tools.store.change('job.end', (tx) =>
      endByCloud(tx, job.id, from, this.#tools.epoch, at, ending),
    );
    if (!ended) return;
    this.#tools.leases.drop(job.id);
    this.#tools.watch.dropProgress(job.id);
    this.#tools.watch.changed(job.id);
    this.#tools.log.info('job ended by the cloud', { jobId: job.id, state: ending.state, code: ending.error?.code });
  }
}
