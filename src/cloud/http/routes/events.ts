/**
 * `/v1/jobs/{id}/events`: the history as server-sent events (WHATWG HTML, section 9.2), from where the reader left off
 * (`Last-Event-ID`), then live until the job is over. Progress comes between them, without a number.
 */
import { Readable } from 'node:stream';
import { z } from 'zod';
import { isTerminal, type Progress } from '../../../protocol/job.ts';
import type { JobEventView } from '../../../protocol/rest.ts';
import type { EventRecord } from '../../store/events.ts';
import { type ApiTools, callerOf, type Routes } from '../api-tools.ts';
import { findJob, jobParamsSchema } from './jobs.ts';

/** A comment this often keeps proxies from closing a quiet stream. Milliseconds. */
const HEARTBEAT_MS = 15_000;
const PAGE = 500;

export function registerEvents(api: Routes, tools: ApiTools): void {
  api.get(
    '/v1/jobs/:id/events',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'Follow a job: server-sent events, ending with the job',
        params: jobParamsSchema,
        querystring: z.strictObject({
          follow: z.stringbool().default(true).describe('false: end after what is there now'),
        }),
        headers: z.object({ 'last-event-id': z.coerce.number().int().min(0).optional() }),
        response: {
          200: {
            description: 'data: an event of the history (its id is the SSE id), or, as "event: progress", progress',
            content: { 'text/event-stream': { schema: z.custom<Readable>().meta({ type: 'string' }) } },
          },
        },
      },
    },
    async (request, reply) => {
      const job = await findJob(tools, callerOf(request).customerId, request.params.id);
      const gone = new AbortController();
      request.raw.socket.once('close', () => gone.abort());
      const after = request.headers['last-event-id'] ?? 0;
      const stream = Readable.from(follow(tools, job.id, { after, live: request.query.follow }, gone.signal));
      stream.once('close', () => gone.abort());
      return reply
        .header('content-type', 'text/event-stream')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(stream);
    },
  );
}

async function* follow(
  tools: ApiTools,
  jobId: string,
  reader: { after: number; live: boolean },
  gone: AbortSignal,
): AsyncGenerator<string> {
  const { store, watch, clock } = tools;
  const names = new Map<string, string>();
  /** The connector's name as it is now; its id when it was removed. */
  const nameOf = async (id: string | undefined): Promise<string | undefined> => {
    if (id !== undefined && !names.has(id)) names.set(id, (await store.connectors.byId(id))?.name ?? id);
    return id === undefined ? undefined : names.get(id);
  };
  let last = reader.after;
  let progress: Progress | undefined = watch.progress(jobId);
  let news = Promise.withResolvers<void>();
  const stopListening = watch.listen(jobId, (latest) => {
    if (latest) progress = latest;
    news.resolve();
  });
  const onGone = () => news.resolve();
  gone.addEventListener('abort', onGone);
  const heartbeat = clock.every(HEARTBEAT_MS, () => news.resolve(), { background: true });
  try {
    yield ': hello\n\n';
    while (!gone.aborted) {
      // A new promise before the look: news that come during it are not missed.
      news = Promise.withResolvers<void>();
      const job = await store.jobs.byId(jobId);
      const events = await store.events.after(jobId, last, PAGE);
      for (const event of events) yield frame(event, await nameOf(event.connectorId));
      last = events.at(-1)?.id ?? last;
      if (events.length === PAGE) continue;
      if (!reader.live || !job || isTerminal(job.state)) return;
      if (progress) yield `event: progress\ndata: ${JSON.stringify(progress)}\n\n`;
      else if (events.length === 0) yield ': heartbeat\n\n';
      progress = undefined;
      await news.promise;
    }
  } finally {
    stopListening();
    heartbeat.cancel();
    gone.removeEventListener('abort', onGone);
  }
}

function frame({ connectorId: _id, ...event }: EventRecord, connector: string | undefined): string {
  const view: JobEventView = { ...event, ...(connector === undefined ? {} : { connector }) };
  return `id: ${event.id}\ndata: ${JSON.stringify(view)}\n\n`;
}
