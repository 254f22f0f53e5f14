/** A cloud service of a few lines behind real TLS: what it answers is up to the test. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { IpsClient } from '../../../src/client/client.ts';
import { type Clock, systemClock } from '../../../src/lib/clock.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { systemRandom } from '../../../src/lib/random.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { makeCertificate, type TestCertificate } from '../../harness/certificates.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface CloudDouble {
  client: IpsClient;
  requests: IncomingMessage[];
  /** Pauses that the client took before it tried again, in ms; none of them was really waited for. */
  pauses: number[];
  /** Shows another certificate from the next connection on. */
  use(certificate: TestCertificate): void;
  readonly certificate: TestCertificate;
  close(): Promise<void>;
}

export async function cloudDouble(answer: Answer, options: { pin?: string } = {}): Promise<CloudDouble> {
  const certificate = await makeCertificate({ name: 'ips-cloud' });
  const requests: IncomingMessage[] = [];
  const server: Server = createServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const pauses: number[] = [];
  const clock: Clock = {
    ...systemClock(),
    sleep: async (ms) => {
      pauses.push(ms);
    },
  };
  const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const trust = { kind: 'pins', pins: [options.pin ?? certificate.pin] } as const;
  return {
    client: new IpsClient(
      { url, trust, token: new Secret('token-of-the-test') },
      { doors: new Doors(), clock, random: systemRandom() },
    ),
    requests,
    pauses,
    certificate,
    use: ({ key, cert }) => {
      server.setSecureContext({ key, cert });
      server.closeAllConnections();
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** Answers JSON. */
export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
