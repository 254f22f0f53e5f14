/** `/v1/resource-locations`. */
import { z } from 'zod';
import { newId } from '../../../lib/ids.ts';
import { IpsError } from '../../../protocol/errors.ts';
import { createResourceLocationSchema, resourceLocationViewSchema } from '../../../protocol/rest.ts';
import { now } from '../../jobs/tools.ts';
import type { LocationRecord } from '../../store/locations.ts';
import { type ApiTools, callerOf, type Routes } from '../api-tools.ts';

export function registerLocations(api: Routes, tools: ApiTools): void {
  const { store } = tools;

  async function view({ id, name, createdAt }: LocationRecord): Promise<z.output<typeof resourceLocationViewSchema>> {
    return { id, name, createdAt, connectors: (await store.connectors.ofLocation(id)).length };
  }

  api.post(
    '/v1/resource-locations',
    {
      config: { role: 'operator' },
      schema: {
        summary: 'Add a resource location',
        body: createResourceLocationSchema,
        response: { 201: resourceLocationViewSchema },
      },
    },
    async (request, reply) => {
      const { customerId, actor } = callerOf(request);
      const { name } = request.body;
      const at = now(tools);
      const location = { id: newId('loc', tools.random), customerId, name, createdAt: at };
      await store.change('location.add', async (tx) => {
        if (!(await tx.locations.add(location))) throw new IpsError('ALREADY_EXISTS', `It is "${name}".`);
        await tx.audit.add({ customerId, actor, action: 'location.add', subject: name }, at);
      });
      return reply.code(201).send(await view(location));
    },
  );

  api.get(
    '/v1/resource-locations',
    {
      config: { role: 'viewer' },
      schema: { summary: 'List resource locations', response: { 200: z.array(resourceLocationViewSchema) } },
    },
    async (request) => {
      const locations = await store.locations.list(callerOf(request).customerId);
      return await Promise.all(locations.map(view));
    },
  );

  api.delete(
    '/v1/resource-locations/:name',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Remove a resource location that nothing depends on',
        params: z.object({ name: z.string() }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { customerId, actor } = callerOf(request);
      const at = now(tools);
      await store.change('location.remove', async (tx) => {
        const location = await tx.locations.find(customerId, request.params.name);
        if (!location) throw new IpsError('NOT_FOUND');
        const [connector] = await tx.connectors.ofLocation(location.id);
        if (connector)
          throw new IpsError('IN_USE', `Connector "${connector.name}" belongs to it.`, {
            hint: `Remove the connector first: "ips connector remove ${connector.name}".`,
          });
        if (await tx.jobs.anyInLocation(location.id))
          throw new IpsError('IN_USE', 'The history of jobs belongs to it.', {
            hint: 'A location in which jobs ran stays, so that their history can be read.',
          });
        await tx.locations.remove(location.id);
        await tx.audit.add({ customerId, actor, action: 'location.remove', subject: location.name }, at);
      });
      return reply.code(204).send(null);
    },
  );
}
