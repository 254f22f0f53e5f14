/** `/v1/api-tokens`, `/v1/audit`, `/v1/status`. */
import { z } from 'zod';
import { newId } from '../../../lib/ids.ts';
import { IpsError } from '../../../protocol/errors.ts';
import {
  apiTokenViewSchema,
  auditRowSchema,
  createApiTokenSchema,
  createdApiTokenSchema,
  statusViewSchema,
} from '../../../protocol/rest.ts';
import { now } from '../../jobs/tools.ts';
import type { ApiTokenRecord } from '../../store/api-tokens.ts';
import { type ApiTools, callerOf, type Routes } from '../api-tools.ts';
import { hashApiToken, newApiToken } from '../caller.ts';

export function registerAdministration(api: Routes, tools: ApiTools): void {
  const { store } = tools;

  api.post(
    '/v1/api-tokens',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Make an API token; it is shown once',
        body: createApiTokenSchema,
        response: { 201: createdApiTokenSchema },
      },
    },
    async (request, reply) => {
      const { customerId, actor } = callerOf(request);
      const { name, role } = request.body;
      const at = now(tools);
      const token = newApiToken(tools.random);
      const record = {
        id: newId('token', tools.random),
        customerId,
        name,
        role,
        hash: hashApiToken(token),
        createdAt: at,
        lastUsedAt: null,
      };
      await store.change('token.add', async (tx) => {
        await tx.apiTokens.add(record);
        const detail = { name, role };
        await tx.audit.add({ customerId, actor, action: 'token.add', subject: record.id, detail }, at);
      });
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...view(record), token });
    },
  );

  api.get(
    '/v1/api-tokens',
    {
      config: { role: 'admin' },
      schema: { summary: 'List API tokens', response: { 200: z.array(apiTokenViewSchema) } },
    },
    async (request) => (await store.apiTokens.list(callerOf(request).customerId)).map(view),
  );

  api.delete(
    '/v1/api-tokens/:id',
    {
      config: { role: 'admin' },
      schema: { summary: 'Revoke an API token', params: z.object({ id: z.string() }), response: { 204: z.null() } },
    },
    async (request, reply) => {
      const { customerId, actor, tokenId } = callerOf(request);
      const { id } = request.params;
      if (id === tokenId)
        throw new IpsError('IN_USE', 'It is the token of this very request.', {
          hint: 'Use the token of another admin.',
        });
      await store.change('token.remove', async (tx) => {
        if (!(await tx.apiTokens.remove(customerId, id))) throw new IpsError('NOT_FOUND');
        await tx.audit.add({ customerId, actor, action: 'token.remove', subject: id }, now(tools));
      });
      return reply.code(204).send(null);
    },
  );

  api.get(
    '/v1/audit',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'The audit log, newest first',
        querystring: z.strictObject({
          limit: z.coerce.number().int().min(1).max(1000).default(100),
          before: z.coerce.number().int().min(1).optional(),
        }),
        response: { 200: z.array(auditRowSchema) },
      },
    },
    async (request) => {
      const { limit, before } = request.query;
      const rows = await store.audit.list(callerOf(request).customerId, limit, before);
      return rows.map(({ customerId: _customerId, ...row }) => row);
    },
  );

  api.get(
    '/v1/status',
    {
      config: { role: 'viewer' },
      schema: { summary: 'The state of the service, for this customer', response: { 200: statusViewSchema } },
    },
    async (request) => {
      const { customerId, role } = callerOf(request);
      const customer = await store.meta.customer(customerId);
      const jobs = { queued: 0, inProgress: 0, committing: 0, complete: 0, failed: 0, cancelled: 0 };
      return {
        version: tools.version,
        customer: customer?.name ?? customerId,
        role,
        connectors: {
          connected: tools.registry.countOf(customerId),
          total: (await store.connectors.list(customerId)).length,
        },
        jobs: { ...jobs, ...(await store.jobs.counts(customerId)) },
      };
    },
  );
}

function view(token: ApiTokenRecord): z.output<typeof apiTokenViewSchema> {
  const { id, name, role, createdAt, lastUsedAt } = token;
  return { id, name, role, createdAt, ...(lastUsedAt === null ? {} : { lastUsedAt }) };
}
