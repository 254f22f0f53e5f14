/** A real `ips-cloud` in this process: HTTPS on a free loopback port, SQLite in a private folder, real time. */
import { Agent, request } from 'undici';
import winston from 'winston';
import { loadConfig } from '../../../src/cloud/config.ts';
import { type Service, startService } from '../../../src/cloud/service.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { PinnedTls } from '../../../src/lib/pinned-tls.ts';
import { systemRandom } from '../../../src/lib/random.ts';
import { ApplianceKeys } from '../../harness/appliance-keys.ts';
import { LinkClient } from '../../harness/link-client.ts';

export class RunningCloud {
  readonly folder: string;
  service: Service;
  adminToken = '';

  private constructor(folder: string, service: Service) {
    this.folder = folder;
    this.service = service;
  }

  static async start(folder: string): Promise<RunningCloud> {
    let shown = '';
    const service = await boot(folder, '0', (token) => {
      shown = token;
    });
    const cloud = new RunningCloud(folder, service);
    cloud.adminToken = shown;
    return cloud;
  }

  /** Stops and starts again, on the same data and port. */
  async restart(between: () => Promise<void> = async () => undefined): Promise<void> {
    const { port } = new URL(this.service.url);
    await this.service.stop();
    await between();
    this.service = await boot(this.folder, port, () => {
      throw new Error('a second first token');
    });
  }

  async call<T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: object, token = this.adminToken) {
    const { url, pin } = this.service;
    const tls = new PinnedTls({ url: new URL(url), trust: { kind: 'pins', pins: [pin] } }, new Doors());
    const dispatcher = new Agent({ connect: { ...(await tls.options(AbortSignal.timeout(10_000))) } });
    try {
      const answer = await request(new URL(path, url), {
        method,
        dispatcher,
        headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      const text = await answer.body.text();
      const isJson = String(answer.headers['content-type']).includes('json');
      return { status: answer.statusCode, text, body: (isJson ? JSON.parse(text) : undefined) as T };
    } finally {
      await dispatcher.close();
    }
  }

  /** Pairs a new appliance by a code. */
  async pair(name: string, resourceLocation: string): Promise<LinkClient> {
    const { body } = await this.call<{ code: string }>('POST', '/v1/pairing-codes', { resourceLocation });
    const keys = new ApplianceKeys();
    const code = body.code.replace('-', '');
    const paired = await this.call<LinkClient['paired']>('POST', '/v1/pairing/redeem', {
      ...keys.pairingRequest(name, code),
      code: body.code,
    });
    return new LinkClient(this.service, keys, paired.body);
  }
}

export function settings(folder: string, port = '0') {
  return loadConfig({
    file: undefined,
    environment: {},
    flags: { 'data-folder': folder, 'listen-address': '127.0.0.1', 'listen-port': port },
  });
}

async function boot(folder: string, port: string, onToken: (token: string) => void): Promise<Service> {
  return await startService(settings(folder, port), {
    clock: systemClock(),
    random: systemRandom(),
    doors: new Doors(),
    log: winston.createLogger({ silent: true }),
    showAdminToken: async (token) => onToken(token.reveal()),
  });
}
