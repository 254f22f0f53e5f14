/**
 * A cloud service without sockets: the real store (in memory), scheduler, sessions and API on a clock that moves only
 * when a test says so.
 */
import winston from 'winston';
import { LinkDesk } from '../../../src/cloud/connectors/link-desk.ts';
import { PairingDesk } from '../../../src/cloud/connectors/pairing.ts';
import { Registry } from '../../../src/cloud/connectors/registry.ts';
import { hashApiToken, newApiToken } from '../../../src/cloud/http/caller.ts';
import { type Api, createApi } from '../../../src/cloud/http/server.ts';
import { Leases } from '../../../src/cloud/jobs/leases.ts';
import { Scheduler } from '../../../src/cloud/jobs/scheduler.ts';
import type { JobTools } from '../../../src/cloud/jobs/tools.ts';
import { JobWatch } from '../../../src/cloud/jobs/watch.ts';
import { sqliteDialect } from '../../../src/cloud/store/sqlite/database.ts';
import { openStore } from '../../../src/cloud/store/store.ts';
import { Lockbox } from '../../../src/cloud/wallet/lockbox.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { newId } from '../../../src/lib/ids.ts';
import { systemRandom } from '../../../src/lib/random.ts';
import type { CreateJob, JobView, Role } from '../../../src/protocol/rest.ts';
import { makeCertificate } from '../../harness/certificates.ts';
import { ManualClock } from '../engine/manual-clock.ts';

export const TERMS = { ttlMs: 60_000, graceMs: 30_000, offerTimeoutMs: 30_000 };
export const SHARE = 'smb://files.example/images';

export interface Answer<T> {
  status: number;
  headers: Record<string, unknown>;
  body: T;
}

export class Bench {
  readonly clock: ManualClock;
  readonly tools: JobTools;
  readonly lockbox: Lockbox;
  readonly scheduler: Scheduler;
  readonly desk: LinkDesk;
  readonly api: Api;

  private constructor(parts: Pick<Bench, 'tools' | 'lockbox' | 'scheduler' | 'desk' | 'api'>, clock: ManualClock) {
    this.clock = clock;
    this.tools = parts.tools;
    this.lockbox = parts.lockbox;
    this.scheduler = parts.scheduler;
    this.desk = parts.desk;
    this.api = parts.api;
  }

  static async start(options: { epoch?: number; database?: string } = {}): Promise<Bench> {
    const clock = new ManualClock();
    clock.advance(1_700_000_000_000);
    const random = systemRandom();
    const log = winston.createLogger({ silent: true });
    const store = await openStore(sqliteDialect(options.database ?? ':memory:'), new Doors());
    const lockbox = new Lockbox(Buffer.alloc(32, 7), random);
    const tools: JobTools = {
      store,
      clock,
      random,
      log,
      registry: new Registry(),
      leases: new Leases(clock, TERMS),
      watch: new JobWatch(),
      epoch: options.epoch ?? 1,
    };
    const scheduler = new Scheduler(tools, TERMS);
    const desk = new LinkDesk({ ...tools, lockbox, scheduler }, ['sha256/pin']);
    const pairing = new PairingDesk({ store, clock, random, lockbox, log });
    const { key, cert } = await makeCertificate();
    const api = await createApi({ ...tools, lockbox, scheduler, desk, pairing, version: '0.0.0-test' }, { key, cert });
    return new Bench({ tools, lockbox, scheduler, desk, api }, clock);
  }

  async stop(): Promise<void> {
    await this.scheduler.stop();
    await this.api.close();
    await this.tools.store.close();
  }

  /** A new customer with a token of each role. */
  async customer(name: string): Promise<{ id: string } & Record<Role, string>> {
    const { store, random } = this.tools;
    const id = newId('cus', random);
    const tokens = { viewer: newApiToken(random), operator: newApiToken(random), admin: newApiToken(random) };
    const createdAt = this.clock.wall().toISOString();
    await store.change('test', async (tx) => {
      await tx.meta.addCustomer({ id, name, createdAt });
      for (const role of ['viewer', 'operator', 'admin'] as const)
        await tx.apiTokens.add({
          id: newId('token', random),
          customerId: id,
          name: role,
          role,
          hash: hashApiToken(tokens[role]),
          createdAt,
          lastUsedAt: null,
        });
    });
    return { id, ...tokens };
  }

  async call<T>(
    token: string | undefined,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    payload?: object,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const response = await this.api.inject({
      method,
      url,
      ...(payload ? { payload } : {}),
      headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    });
    const body = response.body === '' ? undefined : JSON.parse(response.body);
    return { status: response.statusCode, headers: response.headers, body };
  }

  /** A customer with a location "lab" and a credential "share" that is allowed for `SHARE`. */
  async site(name = 'acme') {
    const customer = await this.customer(name);
    await this.call(customer.admin, 'POST', '/v1/resource-locations', { name: 'lab' });
    await this.putCredential(customer.admin);
    return customer;
  }

  async putCredential(admin: string, password = 'a planted secret', allowedTargets = ['smb://files.example']) {
    const secret = { type: 'UsernamePassword', username: 'svc', password };
    return await this.call(admin, 'PUT', '/v1/credentials/share', { secret, allowedTargets });
  }

  async createJob(token: string, changes: Partial<CreateJob> = {}, diskName = 'master', dryRun = false) {
    const answer = await this.call<JobView & { code: string; jobId: string }>(token, 'POST', '/v1/jobs', {
      ...job(diskName, dryRun),
      ...changes,
    });
    await this.scheduler.idle();
    return answer;
  }

  async job(token: string, id: string): Promise<JobView> {
    return (await this.call<JobView>(token, 'GET', `/v1/jobs/${id}`)).body;
  }

  /** Time passes; what the scheduler does then is done when this returns. */
  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    this.scheduler.wake();
    await this.scheduler.idle();
  }
}

export function job(diskName = 'master', dryRun = false): CreateJob {
  return {
    resourceLocation: 'lab',
    parameters: {
      type: 'export',
      source: { platform: 'qemu', path: '/images/master.qcow2' },
      target: { location: SHARE, name: diskName, credential: 'share' },
      dryRun,
    },
  };
}
