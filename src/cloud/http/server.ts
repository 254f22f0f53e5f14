/**
 * The HTTPS server: TLS 1.2 or newer, bounded bodies, one schema for validation and the OpenAPI page, problem documents
 * for every failure. Bodies and authorization are never logged. One of the two files of the cloud that touch the network.
 */
import type { Server } from 'node:https';
import swagger from '@fastify/swagger';
import Fastify, { type FastifyInstance, type FastifyReply, type RouteGenericInterface } from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { IpsError } from '../../protocol/errors.ts';
import { problemSchema, type Role } from '../../protocol/rest.ts';
import { RateLimiter } from '../rate-limiter.ts';
import type { ApiTools } from './api-tools.ts';
import { authenticate, type Caller, demandRole } from './caller.ts';
import { knownError, PROBLEM_TYPE, rawRefusal, toProblem } from './problems.ts';
import { registerAdministration } from './routes/administration.ts';
import { registerConnectors } from './routes/connectors.ts';
import { registerCredentials } from './routes/credentials.ts';
import { registerEvents } from './routes/events.ts';
import { registerJobs } from './routes/jobs.ts';
import { registerLocations } from './routes/locations.ts';
import { registerPairing } from './routes/pairing.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Lowest role that may call; absent on the few routes that need no token. */
    role?: Role;
  }
  interface FastifyRequest {
    caller: Caller | undefined;
  }
}

const MAX_BODY = 256 * 1024;
/** Milliseconds within which a request must have arrived. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Failed logins by one address. */
const LOGIN_FAILURES = { windowMs: 60_000, perKey: 30, overall: 3_000 };

export type HttpsServer = Server;

export interface TlsIdentity {
  /** PEM. */
  key: string;
  cert: string;
}

/** The application without a listening socket. */
export async function createApi(tools: ApiTools, tls: TlsIdentity) {
  const plain: FastifyInstance<Server> = Fastify({
    https: { key: tls.key, cert: tls.cert, minVersion: 'TLSv1.2' },
    bodyLimit: MAX_BODY,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 128 },
    frameworkErrors: (error, _request, reply) => sendProblem(reply, knownError(error) ?? new IpsError('INTERNAL')),
    clientErrorHandler: (error, socket) => {
      if (socket.writable) socket.write(rawRefusal(error.code));
      socket.destroySoon();
    },
  });
  const app = plain.withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  answerErrors(app, tools);
  demandTokens(app, tools);
  await app.register(swagger, { openapi: openapi(tools.version), transform: jsonSchemaTransform });
  app.addHook('onRoute', (route) => {
    if (route.schema && route.config?.role) route.schema.security = [{ apiToken: [] }];
    if (route.schema)
      route.schema.response = {
        ...(route.schema.response as object),
        default: { description: 'What went wrong', content: { [PROBLEM_TYPE]: { schema: problemSchema } } },
      };
  });
  registerJobs(app, tools);
  registerEvents(app, tools);
  registerLocations(app, tools);
  registerPairing(app, tools);
  registerConnectors(app, tools);
  registerCredentials(app, tools);
  registerAdministration(app, tools);
  app.get('/v1/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  await app.ready();
  return app;
}

export type Api = Awaited<ReturnType<typeof createApi>>;

function answerErrors(app: FastifyInstance<Server>, { log }: ApiTools): void {
  app.setErrorHandler((error, request, reply) => {
    const known = knownError(error);
    if (!known) log.error('a request met an error', { method: request.method, route: request.routeOptions.url, error });
    return sendProblem(reply, known ?? new IpsError('INTERNAL'));
  });
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, new IpsError('NOT_FOUND', 'No such path.')));
}

function sendProblem(reply: FastifyReply<RouteGenericInterface, Server>, error: IpsError) {
  const { problem, headers } = toProblem(error);
  return reply.code(problem.status).headers(headers).type(PROBLEM_TYPE).send(problem);
}

/** Looks at the token before the body is read, and writes down, about once a minute, that it was used. */
function demandTokens(app: FastifyInstance<Server>, { store, clock }: ApiTools): void {
  const failures = new RateLimiter(clock, LOGIN_FAILURES);
  const noted = new Map<string, number>();
  app.decorateRequest('caller', undefined);
  app.addHook('onRequest', async (request) => {
    const { role } = request.routeOptions.config;
    if (!role) return;
    try {
      request.caller = await authenticate(store, request.headers.authorization);
    } catch (error) {
      // Only failures count and are limited: a stranger's tries never keep a valid token out.
      failures.take(request.ip);
      throw error;
    }
    const { tokenId } = request.caller;
    demandRole(request.caller, role);
    const now = clock.monotonic();
    if (now - (noted.get(tokenId) ?? Number.NEGATIVE_INFINITY) < 60_000) return;
    noted.set(tokenId, now);
    await store.change('token.used', (tx) => tx.apiTokens.touch(tokenId, clock.wall().toISOString()));
  });
}

function openapi(version: string) {
  return {
    openapi: '3.1.0',
    info: {
      title: 'ips-cloud',
      version,
      description:
        'Jobs, credentials, pairing and connectors. Failures are RFC 9457 problem documents with a stable code.',
    },
    components: { securitySchemes: { apiToken: { type: 'http' as const, scheme: 'bearer' } } },
  };
}
