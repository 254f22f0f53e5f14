/** `/v1/jobs`, but for the stream of events. */
import { z } from 'zod';
import { IpsError } from '../../../protocol/errors.ts';
import { jobStateSchema } from '../../../protocol/job.ts';
import { createJobSchema, jobViewSchema, logLineSchema } from '../../../protocol/rest.ts';
import { cancelJob } from '../../jobs/cancel.ts';
import { createJob } from '../../jobs/intake.ts';
import { viewJob } from '../../jobs/view.ts';
import { type ApiTools, callerOf, type Routes } from '../api-tools.ts';

/** Jobs that are listed at most by one request. */
const MAX_JOBS = 500;
/** Log lines of a job that are given at most, the newest. */
const MAX_LOG_LINES = 10_000;

export const jobParamsSchema = z.object({ id: z.string() });

export function registerJobs(api: Routes, tools: ApiTools): void {
  const { store } = tools;

  api.post(
    '/v1/jobs',
    {
      config: { role: 'operator' },
      schema: {
        summary: 'Start a job',
        headers: z.object({
          'idempotency-key': z
            .string()
            .min(1)
            .max(128)
            .optional()
            .describe('the same key with the same request gives the same answer, and no second job'),
        }),
        body: createJobSchema,
        response: { 202: jobViewSchema },
      },
    },
    async (request, reply) => {
      const view = await createJob(tools, callerOf(request), request.body, request.headers['idempotency-key']);
      tools.scheduler.wake();
      return reply.code(202).header('location', `/v1/jobs/${view.id}`).send(view);
    },
  );

  api.get(
    '/v1/jobs',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'List jobs, newest first',
        querystring: z.strictObject({
          state: jobStateSchema.optional(),
          limit: z.coerce.number().int().min(1).max(MAX_JOBS).default(50),
          before: z.string().optional().describe('id of a job: only older ones'),
        }),
        response: { 200: z.array(jobViewSchema) },
      },
    },
    async (request) => {
      const { customerId } = callerOf(request);
      const { before, ...filter } = request.query;
      const olderThan = before === undefined ? undefined : await findJob(tools, customerId, before);
      const jobs = await store.jobs.list(customerId, { ...filter, olderThan });
      return await Promise.all(jobs.map((job) => viewJob(tools, store, job)));
    },
  );

  api.get(
    '/v1/jobs/:id',
    {
      config: { role: 'viewer' },
      schema: { summary: 'Show a job', params: jobParamsSchema, response: { 200: jobViewSchema } },
    },
    async (request) => {
      const job = await findJob(tools, callerOf(request).customerId, request.params.id);
      return await viewJob(tools, store, job);
    },
  );

  api.post(
    '/v1/jobs/:id/cancel',
    {
      config: { role: 'operator' },
      schema: { summary: 'Cancel a job', params: jobParamsSchema, response: { 202: jobViewSchema } },
    },
    async (request, reply) => {
      const job = await cancelJob(tools, callerOf(request), request.params.id);
      tools.scheduler.wake();
      return reply.code(202).send(await viewJob(tools, store, job));
    },
  );

  api.get(
    '/v1/jobs/:id/log',
    {
      config: { role: 'viewer' },
      schema: { summary: 'The log of a job', params: jobParamsSchema, response: { 200: z.array(logLineSchema) } },
    },
    async (request) => {
      const job = await findJob(tools, callerOf(request).customerId, request.params.id);
      const events = await store.events.logLines(job.id, MAX_LOG_LINES);
      return events.flatMap(({ at, body }) =>
        body.kind === 'log' ? [{ at, level: body.level, message: body.message }] : [],
      );
    },
  );
}

/** @throws IpsError NOT_FOUND, also for a job of another customer */
export async function findJob(tools: Pick<ApiTools, 'store'>, customerId: string, id: string) {
  const job = await tools.store.jobs.find(customerId, id);
  if (!job) throw new IpsError('NOT_FOUND', `No job is called "${id}".`);
  return job;
}
