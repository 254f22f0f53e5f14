/** What the routes need of the service. */
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { IpsError } from '../../protocol/errors.ts';
import type { LinkDesk } from '../connectors/link-desk.ts';
import type { PairingDesk } from '../connectors/pairing.ts';
import type { Scheduler } from '../jobs/scheduler.ts';
import type { JobTools } from '../jobs/tools.ts';
import type { Lockbox } from '../wallet/lockbox.ts';
import type { Caller } from './caller.ts';
import type { HttpsServer } from './server.ts';

export type ApiTools = JobTools & {
  readonly lockbox: Lockbox;
  readonly scheduler: Scheduler;
  readonly desk: LinkDesk;
  readonly pairing: PairingDesk;
  /** Of this release. */
  readonly version: string;
};

export type Routes = FastifyInstance<
  HttpsServer,
  RawRequestDefaultExpression<HttpsServer>,
  RawReplyDefaultExpression<HttpsServer>,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** Who called, on a route that has a role. */
export function callerOf(request: Pick<FastifyRequest, 'caller'>): Caller {
  if (!request.caller) throw new IpsError('UNAUTHENTICATED');
  return request.caller;
}
