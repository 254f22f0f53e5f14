/** A TCP proxy on loopback whose connections a test can cut, or hold silent as a half-open link is. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export class CuttableProxy {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #open = true;
  port = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Listens on a free port of 127.0.0.1 and connects through to `target`. */
  static async start(target: { host: string; port: number }): Promise<CuttableProxy> {
    const proxy = new CuttableProxy(createServer());
    proxy.#server.on('connection', (near) => {
      if (!proxy.#open) {
        near.destroy();
        return;
      }
      const far = connect(target);
      const pair = [near, far] as const;
      proxy.#pairs.add(pair);
      const end = () => {
        proxy.#pairs.delete(pair);
        near.destroy();
        far.destroy();
      };
      for (const socket of pair) socket.on('error', end).on('close', end);
      near.pipe(far);
      far.pipe(near);
    });
    await new Promise<void>((listening) => proxy.#server.listen(0, '127.0.0.1', listening));
    const address = proxy.#server.address();
    proxy.port = typeof address === 'object' && address ? address.port : 0;
    return proxy;
  }

  /** Cuts every connection and refuses new ones until `mend`. */
  cut(): void {
    this.#open = false;
    for (const [near, far] of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  /** Lets no byte through any more, without closing anything: the half-open link. New connections work. */
  freeze(): void {
    for (const [near, far] of this.#pairs) {
      near.unpipe(far).pause();
      far.unpipe(near).pause();
    }
  }

  mend(): void {
    this.#open = true;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((closed) => this.#server.close(closed));
  }
}
