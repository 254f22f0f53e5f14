/** `/v1/connectors`: looking at them, and what only an operator can decide about one. */
import { z } from 'zod';
import { IpsError } from '../../../protocol/errors.ts';
import { connectorViewSchema } from '../../../protocol/rest.ts';
import { now } from '../../jobs/tools.ts';
import type { ConnectorRecord } from '../../store/connectors.ts';
import type { Nouns } from '../../store/store.ts';
import { type ApiTools, callerOf, type Routes } from '../api-tools.ts';
import type { Caller } from '../caller.ts';
import { viewConnector } from '../connector-view.ts';

const params = z.object({ name: z.string() });

export function registerConnectors(api: Routes, tools: ApiTools): void {
  const { store, registry, desk, scheduler } = tools;

  const view = (connector: ConnectorRecord) => viewConnector(tools, connector);

  async function decide(
    caller: Caller,
    name: string,
    action: string,
    decision: (tx: Nouns, connector: ConnectorRecord) => Promise<void>,
  ): Promise<ConnectorRecord> {
    const connector = await store.change(`connector.${action}`, async (tx) => {
      const found = await find(tx, caller, name);
      await decision(tx, found);
      const { customerId, actor } = caller;
      await tx.audit.add({ customerId, actor, action: `connector.${action}`, subject: found.name }, now(tools));
      return found;
    });
    scheduler.wake();
    return connector;
  }

  api.get(
    '/v1/connectors',
    {
      config: { role: 'viewer' },
      schema: { summary: 'List connectors', response: { 200: z.array(connectorViewSchema) } },
    },
    async (request) => {
      const connectors = await store.connectors.list(callerOf(request).customerId);
      return await Promise.all(connectors.map(view));
    },
  );

  api.get(
    '/v1/connectors/:name',
    {
      config: { role: 'viewer' },
      schema: { summary: 'Show a connector', params, response: { 200: connectorViewSchema } },
    },
    async (request) => await view(await find(store, callerOf(request), request.params.name)),
  );

  api.delete(
    '/v1/connectors/:name',
    {
      config: { role: 'admin' },
      schema: { summary: 'Remove a connector that holds nothing', params, response: { 204: z.null() } },
    },
    async (request, reply) => {
      const removed = await decide(callerOf(request), request.params.name, 'remove', async (tx, connector) => {
        const [job] = await tx.jobs.heldBy(connector.id);
        if (job)
          throw new IpsError('IN_USE', `It holds job ${job.id}.`, { hint: 'Cancel the job, or wait for its end.' });
        if (connector.standing !== 'lost' && (await tx.ledger.anyOpenOf(connector.id)))
          throw new IpsError('IN_USE', 'Resources that it made are still there.', {
            hint: 'Start it and let it clean up, or declare it lost: "ips connector lost NAME".',
          });
        await tx.connectors.remove(connector.id);
      });
      await desk.dismiss(removed.id);
      return reply.code(204).send(null);
    },
  );

  api.post(
    '/v1/connectors/:name/trust',
    {
      // As pairing: the one who calls next is given credentials.
      config: { role: 'admin' },
      schema: {
        summary: 'Vouch for a connector after a clone was seen, or take back that it was declared lost',
        params,
        response: { 200: connectorViewSchema },
      },
    },
    async (request) => {
      const { id } = await decide(callerOf(request), request.params.name, 'trust', async (tx, connector) => {
        // Nobody is connected: the right one may be the one whose generation is behind, so the next caller is believed.
        await tx.connectors.setStanding(connector.id, 'trusted', registry.get(connector.id) === undefined);
      });
      return await view(await find(store, callerOf(request), id));
    },
  );

  api.post(
    '/v1/connectors/:name/lost',
    {
      config: { role: 'operator' },
      schema: {
        summary: 'Declare that a connector never comes back: its jobs go on elsewhere or end',
        params,
        response: { 200: connectorViewSchema },
      },
    },
    async (request) => {
      const { id } = await decide(callerOf(request), request.params.name, 'lost', async (tx, connector) => {
        if (registry.get(connector.id))
          throw new IpsError('IN_USE', 'It is connected.', { hint: 'Stop it first: "systemctl stop ips-connector".' });
        await tx.connectors.setStanding(connector.id, 'lost', false);
      });
      return await view(await find(store, callerOf(request), id));
    },
  );
}

/** @throws IpsError NOT_FOUND, also for a connector of another customer */
async function find(nouns: Nouns, caller: Caller, name: string): Promise<ConnectorRecord> {
  const connector = await nouns.connectors.find(caller.customerId, name);
  if (!connector) throw new IpsError('NOT_FOUND', `No connector is called "${name}".`);
  return connector;
}
