/** The service put together: store, wallet, job engine, hub and API on one HTTPS port. */
import { hostname } from 'node:os';
import type { Clock } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import { Files, isErrno } from '../lib/files.ts';
import { newId } from '../lib/ids.ts';
import type { Logger } from '../lib/logging.ts';
import type { RandomSource } from '../lib/random.ts';
import { Secret } from '../lib/secret.ts';
import { VERSION } from '../lib/version.ts';
import { IpsError } from '../protocol/errors.ts';
import type { CloudConfig } from './config.ts';
import { Hub } from './connectors/hub.ts';
import { LinkDesk } from './connectors/link-desk.ts';
import { PairingDesk } from './connectors/pairing.ts';
import { Registry } from './connectors/registry.ts';
import { dataPaths, loadTls, loadWalletKey } from './data-folder.ts';
import { hashApiToken, newApiToken } from './http/caller.ts';
import { type Api, createApi } from './http/server.ts';
import { Leases } from './jobs/leases.ts';
import { Scheduler } from './jobs/scheduler.ts';
import type { JobTools } from './jobs/tools.ts';
import { JobWatch } from './jobs/watch.ts';
import { requirePrivateFolder } from './private-file.ts';
import { sqliteDialect } from './store/sqlite/database.ts';
import { lockFolder } from './store/sqlite/folder-lock.ts';
import { openStore, type Store } from './store/store.ts';
import { Lockbox } from './wallet/lockbox.ts';

/** An Idempotency-Key is remembered for this long. Milliseconds. */
const KEEP_KEYS_MS = 7 * 86_400_000;
const HOUSEKEEPING_EVERY_MS = 3_600_000;

export interface ServiceTools {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly doors: Doors;
  readonly log: Logger;
  /** Told of the first admin token, once, before it is valid: a token that nobody has seen must not exist. */
  readonly showAdminToken: (token: Secret) => Promise<void>;
}

export interface Service {
  readonly url: string;
  /** `sha256/…` of the key of the certificate. */
  readonly pin: string;
  stop(): Promise<void>;
}

/** @throws IpsError FILE_NOT_PRIVATE, CONFIG_INVALID, IN_USE when another service uses the data folder */
export async function startService(config: CloudConfig, tools: ServiceTools): Promise<Service> {
  const paths = dataPaths(config);
  await requirePrivateFolder(new Files(tools.doors), paths.folder);
  const lock = lockFolder(paths.lock);
  try {
    const service = await startLocked(config, tools);
    return { ...service, stop: () => service.stop().finally(() => lock.release()) };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Starts it while nobody else uses the data folder. */
async function startLocked(config: CloudConfig, tools: ServiceTools): Promise<Service> {
  const { clock, random, doors, log } = tools;
  const files = new Files(doors);
  const paths = dataPaths(config);
  const { identity, pin } = await loadTls(files, config, clock.wall());
  const store = await openStore(sqliteDialect(paths.database), doors);
  const mayMakeKey = !(await store.credentials.any());
  const lockbox = new Lockbox(await loadWalletKey(files, paths.walletKey, random, mayMakeKey), random);
  await ensureCustomer(config, tools, store);

  const jobTools: JobTools = {
    store,
    clock,
    random,
    log,
    registry: new Registry(),
    leases: new Leases(clock, { ttlMs: config.leaseTtlMs, graceMs: config.leaseGraceMs }),
    watch: new JobWatch(),
    epoch: await store.meta.epoch(),
  };
  const scheduler = new Scheduler(jobTools, config);
  const desk = new LinkDesk({ ...jobTools, lockbox, scheduler }, [...new Set([pin, ...config.tls.nextPins])]);
  const pairing = new PairingDesk({ store, clock, random, lockbox, log });
  const api = await createApi({ ...jobTools, lockbox, scheduler, desk, pairing, version: VERSION }, identity);
  const hub = new Hub(desk, clock, doors);
  api.server.on('upgrade', (request, socket, head) => hub.upgrade(request, socket, head));
  const housekeeping = clock.every(
    HOUSEKEEPING_EVERY_MS,
    () => void keepHouse(store, clock).catch((error) => log.warn('housekeeping failed', { error })),
    { background: true },
  );
  await listen(api, config);
  hub.start();
  scheduler.start();
  const url = publicUrl(config, api.server.address());
  log.info('ips-cloud is ready', { url, version: VERSION, epoch: jobTools.epoch });

  return {
    url,
    pin,
    stop: async () => {
      housekeeping.cancel();
      await hub.stop();
      await api.close();
      await scheduler.stop();
      await store.close();
    },
  };
}

/** @throws IpsError CONFIG_INVALID when the address or the port is not to be had */
async function listen(api: Api, { listen: { address, port } }: CloudConfig): Promise<void> {
  try {
    await api.listen({ host: address, port });
  } catch (error) {
    const reason = ['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES', 'ENOTFOUND'].find((code) => isErrno(error, code));
    if (reason === undefined) throw error;
    const message = `"listen": ${address} port ${port} cannot be used (${reason}).`;
    throw new IpsError('CONFIG_INVALID', message, { cause: error });
  }
}

/** At the first start: the first customer, and its first admin token. */
async function ensureCustomer(config: CloudConfig, tools: ServiceTools, store: Store): Promise<void> {
  if ((await store.meta.customers()).length > 0) return;
  const { random, clock } = tools;
  const token = newApiToken(random);
  await tools.showAdminToken(new Secret(token));
  const createdAt = clock.wall().toISOString();
  const customer = { id: newId('cus', random), name: config.customer, createdAt };
  await store.change('customer.first', async (tx) => {
    await tx.meta.setEpoch(1);
    await tx.meta.addCustomer(customer);
    await tx.apiTokens.add({
      id: newId('token', random),
      customerId: customer.id,
      name: 'first admin',
      role: 'admin',
      hash: hashApiToken(token),
      createdAt,
      lastUsedAt: null,
    });
    const entry = { customerId: customer.id, actor: 'cloud', action: 'customer.add', subject: customer.name };
    await tx.audit.add(entry, createdAt);
  });
}

async function keepHouse(store: Store, clock: Clock): Promise<void> {
  const before = clock.wall().getTime() - KEEP_KEYS_MS;
  await store.change('housekeeping', (tx) => tx.jobs.forgetKeys(before));
}

/** How others reach us: a wildcard address is no name, the host's is. */
function publicUrl(config: CloudConfig, bound: string | { port: number } | null): string {
  const port = typeof bound === 'object' && bound ? bound.port : config.listen.port;
  const { address } = config.listen;
  const host = address === '0.0.0.0' || address === '::' ? hostname() : address;
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
