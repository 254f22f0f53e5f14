/**
 * The typed REST client: one method a request, answers as `protocol/rest.ts` defines them.
 *
 * @example
 * const client = new IpsClient({ url: new URL('https://ips.example.com:8440'), trust, token }, tools);
 * const job = await client.createJob({ resourceLocation: 'london', parameters }, 'a-key-of-mine');
 * for await (const news of client.follow(job.id)) console.log(news);
 */
import { z } from 'zod';
import { backoffMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { Doors } from '../lib/doors.ts';
import type { PeerTrust } from '../lib/pinned-tls.ts';
import type { RandomSource } from '../lib/random.ts';
import type { Secret } from '../lib/secret.ts';
import { isIpsError } from '../protocol/errors.ts';
import { isTerminal, type JobState, type Progress, progressSchema } from '../protocol/job.ts';
import {
  apiTokenViewSchema,
  auditRowSchema,
  type CreateJob,
  connectorViewSchema,
  createdApiTokenSchema,
  createdPairingCodeSchema,
  credentialViewSchema,
  type JobEventView,
  type JobView,
  jobEventViewSchema,
  jobViewSchema,
  logLineSchema,
  pendingPairingSchema,
  type putCredentialSchema,
  type Role,
  resourceLocationViewSchema,
  statusViewSchema,
} from '../protocol/rest.ts';
import { CloudHttp } from './http.ts';

const nothing = z.unknown().transform(() => undefined);
const RETRY = { firstMs: 500, maxMs: 15_000 };
/** How often a job is asked for at most. */
const CREATE_TRIES = 5;

/** What a reader of a job's stream gets: history, or the latest progress. */
export type JobNews = { kind: 'event'; event: JobEventView } | { kind: 'progress'; progress: Progress };

export class IpsClient {
  readonly #http: CloudHttp;
  readonly #clock: Clock;
  readonly #random: RandomSource;

  constructor(
    cloud: { url: URL; trust: PeerTrust; token: Secret },
    tools: { doors: Doors; clock: Clock; random: RandomSource; interrupted?: AbortSignal },
  ) {
    const headers = { authorization: `Bearer ${cloud.token.reveal()}` };
    this.#http = new CloudHttp({ url: cloud.url, trust: cloud.trust, headers }, tools);
    this.#clock = tools.clock;
    this.#random = tools.random;
  }

  status() {
    return this.#get('/v1/status', statusViewSchema);
  }

  // Resource locations
  createLocation(name: string) {
    return this.#post('/v1/resource-locations', { name }, resourceLocationViewSchema);
  }

  locations() {
    return this.#get('/v1/resource-locations', z.array(resourceLocationViewSchema));
  }

  deleteLocation(name: string) {
    return this.#delete(`/v1/resource-locations/${encodeURIComponent(name)}`);
  }

  // Pairing
  createPairingCode(resourceLocation: string) {
    return this.#post('/v1/pairing-codes', { resourceLocation }, createdPairingCodeSchema);
  }

  /** @param code only this one; a cloud that serves several customers asks for it */
  pendingPairings(code?: string) {
    const query = code === undefined ? '' : `?${new URLSearchParams({ code })}`;
    return this.#get(`/v1/pairing-codes${query}`, z.array(pendingPairingSchema));
  }

  confirmPairing(code: string, confirmation: { resourceLocation: string; fingerprint?: string | undefined }) {
    return this.#post(`/v1/pairing-codes/${encodeURIComponent(code)}/confirm`, confirmation, connectorViewSchema);
  }

  // Connectors
  connectors() {
    return this.#get('/v1/connectors', z.array(connectorViewSchema));
  }

  connector(name: string) {
    return this.#get(`/v1/connectors/${encodeURIComponent(name)}`, connectorViewSchema);
  }

  trustConnector(name: string) {
    return this.#post(`/v1/connectors/${encodeURIComponent(name)}/trust`, {}, connectorViewSchema);
  }

  loseConnector(name: string) {
    return this.#post(`/v1/connectors/${encodeURIComponent(name)}/lost`, {}, connectorViewSchema);
  }

  removeConnector(name: string) {
    return this.#delete(`/v1/connectors/${encodeURIComponent(name)}`);
  }

  // Credentials
  putCredential(name: string, credential: z.input<typeof putCredentialSchema>) {
    const path = `/v1/credentials/${encodeURIComponent(name)}`;
    return this.#http.call({ method: 'PUT', path, body: credential, answer: credentialViewSchema });
  }

  credentials() {
    return this.#get('/v1/credentials', z.array(credentialViewSchema));
  }

  deleteCredential(name: string) {
    return this.#delete(`/v1/credentials/${encodeURIComponent(name)}`);
  }

  // API tokens
  createApiToken(name: string, role: Role) {
    return this.#post('/v1/api-tokens', { name, role }, createdApiTokenSchema);
  }

  apiTokens() {
    return this.#get('/v1/api-tokens', z.array(apiTokenViewSchema));
  }

  deleteApiToken(id: string) {
    return this.#delete(`/v1/api-tokens/${encodeURIComponent(id)}`);
  }

  // Jobs
  /**
   * Starts a job. Where no answer comes it may have started all the same, so it is asked for again with the same key.
   * @param onLost told of each try without an answer that another one follows
   * @throws IpsError as the cloud refused it, CLOUD_UNREACHABLE after the last try; the signal's reason
   */
  async createJob(
    job: CreateJob,
    idempotencyKey: string,
    signal?: AbortSignal,
    onLost: () => void = () => undefined,
  ): Promise<JobView> {
    const headers = { 'idempotency-key': idempotencyKey };
    const call = { method: 'POST', path: '/v1/jobs', body: job, headers, answer: jobViewSchema, signal } as const;
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#http.call(call);
      } catch (error) {
        if (!isAway(error) || tries === CREATE_TRIES) throw error;
      }
      onLost();
      await this.#clock.sleep(backoffMs(RETRY, tries - 1, this.#random), signal);
    }
  }

  /** Newest first. @param filter.before id of a job: only older ones */
  jobs(filter: { state?: JobState | undefined; limit?: number | undefined; before?: string | undefined } = {}) {
    const query = new URLSearchParams();
    if (filter.state) query.set('state', filter.state);
    if (filter.limit) query.set('limit', String(filter.limit));
    if (filter.before) query.set('before', filter.before);
    return this.#get(`/v1/jobs?${query}`, z.array(jobViewSchema));
  }

  job(id: string, signal?: AbortSignal): Promise<JobView> {
    return this.#get(`/v1/jobs/${encodeURIComponent(id)}`, jobViewSchema, signal);
  }

  cancelJob(id: string) {
    return this.#post(`/v1/jobs/${encodeURIComponent(id)}/cancel`, {}, jobViewSchema);
  }

  jobLog(id: string) {
    return this.#get(`/v1/jobs/${encodeURIComponent(id)}/log`, z.array(logLineSchema));
  }

  /** What has happened to a job so far, oldest first; for a job that is over, its whole history. */
  async jobHistory(id: string, signal: AbortSignal): Promise<JobEventView[]> {
    const events: JobEventView[] = [];
    for await (const news of this.#stream(id, { after: 0, live: false }, signal))
      if (news.kind === 'event') events.push(news.event);
    return events;
  }

  /** Newest first. @param before number of a row: only older ones */
  audit(limit: number, before?: number) {
    const older = before === undefined ? '' : `&before=${before}`;
    return this.#get(`/v1/audit?limit=${limit}${older}`, z.array(auditRowSchema));
  }

  /**
   * Follows a job to its end, through lost connections: each event once, in order.
   * @param onLost told of each lost connection and the pause in ms before the next try
   * @throws IpsError when the cloud refuses; the signal's reason
   */
  async *follow(
    id: string,
    signal: AbortSignal,
    onLost: (pauseMs: number) => void = () => undefined,
  ): AsyncGenerator<JobNews> {
    let last = 0;
    for (let tries = 0; ; tries += 1) {
      try {
        for await (const news of this.#stream(id, { after: last, live: true }, signal)) {
          tries = 0;
          if (news.kind === 'event') last = news.event.id;
          yield news;
        }
        if (isTerminal((await this.job(id, signal)).state)) return;
      } catch (error) {
        signal.throwIfAborted();
        if (!isAway(error)) throw error;
      }
      // Also after a stream that ended too early, as when the cloud stops: it may go on ending at once.
      const pause = backoffMs(RETRY, tries, this.#random);
      onLost(pause);
      await this.#clock.sleep(pause, signal);
    }
  }

  /** One pass over a job's stream, until the cloud ends it or the connection breaks. */
  async *#stream(id: string, from: { after: number; live: boolean }, signal: AbortSignal): AsyncGenerator<JobNews> {
    const path = `/v1/jobs/${encodeURIComponent(id)}/events?follow=${from.live}`;
    for await (const { event, data } of this.#http.events(path, from.after, signal)) {
      if (event === 'progress') yield { kind: 'progress', progress: progressSchema.parse(JSON.parse(data)) };
      else yield { kind: 'event', event: jobEventViewSchema.parse(JSON.parse(data)) };
    }
  }

  #get<T>(path: string, answer: z.ZodType<T>, signal?: AbortSignal): Promise<T> {
    return this.#http.call({ method: 'GET', path, answer, signal });
  }

  #post<T>(path: string, body: object, answer: z.ZodType<T>): Promise<T> {
    return this.#http.call({ method: 'POST', path, body, answer });
  }

  #delete(path: string): Promise<undefined> {
    return this.#http.call({ method: 'DELETE', path, answer: nothing });
  }
}

function isAway(error: unknown): boolean {
  return isIpsError(error) && error.code === 'CLOUD_UNREACHABLE';
}
