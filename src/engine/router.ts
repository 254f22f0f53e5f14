/** Paths and methods of the engine's API, without any network: from a request to what is to be answered. */
import { ENGINE_PATHS } from '../protocol/engine.ts';
import { IpsError, toIpsError } from '../protocol/errors.ts';
import type { Agent } from './agent.ts';

/** Bytes of a task's body: its list of data extents may be long. */
const MAX_TASK_BODY = 16 * 1024 * 1024;
const MAX_BODY = 64 * 1024;

export interface RouteRequest {
  method: string;
  /** Path and query. */
  url: string;
  /** The name that the connection proved to have the key of. */
  identity: string | undefined;
  /** @throws IpsError REQUEST_INVALID for more than `limit` bytes, or for what is no JSON */
  readJson: (limit: number) => Promise<unknown>;
}

export type RouteAnswer =
  | { kind: 'json'; status: number; body: object; afterwards?: 'closeBootConnections' | 'end' }
  | { kind: 'events'; after: number };

/** Never throws: failures are answers, an `ErrorReport` as their body. */
export async function route(agent: Agent, request: RouteRequest): Promise<RouteAnswer> {
  try {
    return await answer(agent, request);
  } catch (error) {
    const failure = toIpsError(error);
    // In the catalogue it has the status of a job's failure; here it says that a request does not fit the engine's state.
    const status = failure.code === 'ENGINE_REFUSED' ? 409 : failure.status;
    return { kind: 'json', status, body: failure.report() };
  }
}

async function answer(agent: Agent, request: RouteRequest): Promise<RouteAnswer> {
  const url = new URL(request.url, 'https://engine');
  const { readJson } = request;
  if (!agent.keys.allows(request.identity, url.pathname === ENGINE_PATHS.session))
    throw new IpsError('UNAUTHENTICATED');
  switch (`${request.method} ${url.pathname}`) {
    case `PUT ${ENGINE_PATHS.session}`:
      return { ...ok(agent.openSession(await readJson(MAX_BODY))), afterwards: 'closeBootConnections' };
    case `GET ${ENGINE_PATHS.status}`:
      return ok(agent.status());
    case `PUT ${ENGINE_PATHS.task}`:
      return { kind: 'json', status: agent.startTask(await readJson(MAX_TASK_BODY)) ? 202 : 200, body: {} };
    case `GET ${ENGINE_PATHS.events}`:
      return { kind: 'events', after: eventNumber(url.searchParams.get('after')) };
    case `PUT ${ENGINE_PATHS.deadline}`:
      agent.extendDeadline(await readJson(MAX_BODY));
      return ok({});
    case `POST ${ENGINE_PATHS.cancel}`:
      agent.cancel();
      return { kind: 'json', status: 202, body: {} };
    case `POST ${ENGINE_PATHS.commit}`:
      await agent.commit(await readJson(MAX_BODY));
      return ok({ committed: true });
    case `POST ${ENGINE_PATHS.finish}`:
      await agent.finish();
      return { ...ok({}), afterwards: 'end' };
    default:
      throw new IpsError('NOT_FOUND');
  }
}

function ok(body: object): Extract<RouteAnswer, { kind: 'json' }> {
  return { kind: 'json', status: 200, body };
}

function eventNumber(after: string | null): number {
  if (!/^\d{1,15}$/.test(after ?? '0')) throw new IpsError('REQUEST_INVALID', '(after)');
  return Number(after ?? '0');
}
