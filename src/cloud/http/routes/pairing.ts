/**
 * `/v1/pairing-codes` for admins, `/v1/pairing` for appliances, which have no token yet. A connector is given credentials
 * in the plain, so whoever could pair one could read the wallet.
 */
import { z } from 'zod';
import {
  claimedPairingSchema,
  claimPairingSchema,
  claimStateSchema,
  confirmPairingSchema,
  connectorViewSchema,
  createdPairingCodeSchema,
  createPairingCodeSchema,
  pairedSchema,
  pairingCodeTextSchema,
  pendingPairingSchema,
  redeemPairingSchema,
} from '../../../protocol/rest.ts';
import { type ApiTools, callerOf, type Routes } from '../api-tools.ts';
import { viewConnector } from '../connector-view.ts';

export function registerPairing(api: Routes, tools: ApiTools): void {
  const { pairing } = tools;

  api.post(
    '/v1/pairing-codes',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Issue a pairing code',
        body: createPairingCodeSchema,
        response: { 201: createdPairingCodeSchema },
      },
    },
    async (request, reply) =>
      reply.code(201).send(await pairing.issue(callerOf(request), request.body.resourceLocation)),
  );

  api.get(
    '/v1/pairing-codes',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Appliances that show a code and wait for a confirmation',
        querystring: z.strictObject({ code: pairingCodeTextSchema.optional() }),
        response: { 200: z.array(pendingPairingSchema) },
      },
    },
    async (request) => await pairing.pending(callerOf(request), request.query.code),
  );

  api.post(
    '/v1/pairing-codes/:code/confirm',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Make the appliance that shows this code a connector',
        params: z.object({ code: pairingCodeTextSchema }),
        body: confirmPairingSchema,
        response: { 200: connectorViewSchema },
      },
    },
    async (request) =>
      await viewConnector(tools, await pairing.confirm(callerOf(request), request.params.code, request.body)),
  );

  api.post(
    '/v1/pairing/redeem',
    {
      schema: { summary: 'Appliance: redeem a code', body: redeemPairingSchema, response: { 200: pairedSchema } },
    },
    async (request) => await pairing.redeem(request.body, request.ip),
  );

  api.post(
    '/v1/pairing/claims',
    {
      schema: {
        summary: 'Appliance: ask for a code to show',
        body: claimPairingSchema,
        response: { 201: claimedPairingSchema },
      },
    },
    async (request, reply) => reply.code(201).send(await pairing.claim(request.body, request.ip)),
  );

  api.get(
    '/v1/pairing/claims/:claimId',
    {
      schema: {
        summary: 'Appliance: has an admin confirmed?',
        params: z.object({ claimId: z.string() }),
        response: { 200: claimStateSchema },
      },
    },
    async (request) => await pairing.claimState(request.params.claimId, request.ip),
  );
}
