/** `/v1/credentials`: secrets go in and never come out. */
import { z } from 'zod';
import { IpsError } from '../../../protocol/errors.ts';
import { credentialNameSchema } from '../../../protocol/job.ts';
import { credentialViewSchema, putCredentialSchema } from '../../../protocol/rest.ts';
import { now } from '../../jobs/tools.ts';
import type { CredentialRecord } from '../../store/credentials.ts';
import { type ApiTools, callerOf, type Routes } from '../api-tools.ts';

const params = z.object({ name: credentialNameSchema });

export function registerCredentials(api: Routes, tools: ApiTools): void {
  const { store, lockbox } = tools;

  api.put(
    '/v1/credentials/:name',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Store a secret, as a new version',
        params,
        body: putCredentialSchema,
        response: { 200: credentialViewSchema },
      },
    },
    async (request) => {
      const { customerId, actor } = callerOf(request);
      const { name } = request.params;
      const { secret, allowedTargets } = request.body;
      const at = now(tools);
      return await store.change('credential.put', async (tx) => {
        const version = await tx.credentials.nextVersion(customerId, name);
        const locked = lockbox.lock(JSON.stringify(secret), { customerId, name, version });
        const { type } = secret;
        await tx.credentials.put({ customerId, name, version, type, allowedTargets, locked, updatedAt: at });
        const detail = { version, type, allowedTargets };
        await tx.audit.add({ customerId, actor, action: 'credential.put', subject: name, detail }, at);
        const stored = await tx.credentials.find(customerId, name);
        if (!stored) throw new Error('a credential vanished in the transaction that stored it');
        return view(stored);
      });
    },
  );

  api.get(
    '/v1/credentials',
    {
      config: { role: 'viewer' },
      schema: { summary: 'List credentials, without their secrets', response: { 200: z.array(credentialViewSchema) } },
    },
    async (request) => (await store.credentials.list(callerOf(request).customerId)).map(view),
  );

  api.get(
    '/v1/credentials/:name',
    {
      config: { role: 'viewer' },
      schema: { summary: 'Show a credential, without its secret', params, response: { 200: credentialViewSchema } },
    },
    async (request) => {
      const credential = await store.credentials.find(callerOf(request).customerId, request.params.name);
      if (!credential) throw new IpsError('NOT_FOUND', `No credential is called "${request.params.name}".`);
      return view(credential);
    },
  );

  api.delete(
    '/v1/credentials/:name',
    {
      config: { role: 'admin' },
      schema: { summary: 'Forget a secret', params, response: { 204: z.null() } },
    },
    async (request, reply) => {
      const { customerId, actor } = callerOf(request);
      const { name } = request.params;
      const at = now(tools);
      await store.change('credential.remove', async (tx) => {
        if (!(await tx.credentials.remove(customerId, name, at)))
          throw new IpsError('NOT_FOUND', `No credential is called "${name}".`);
        await tx.audit.add({ customerId, actor, action: 'credential.remove', subject: name }, at);
      });
      return reply.code(204).send(null);
    },
  );
}

function view(credential: CredentialRecord): z.output<typeof credentialViewSchema> {
  const { name, type, version, allowedTargets, createdAt, updatedAt } = credential;
  return { name, type, version, allowedTargets, createdAt, updatedAt };
}
