import { readdir, readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CONNECTOR, PASSWORD, Site } from '../harness/site.ts';

/** Up to here every TCP port is tried; all 65,535 would take a minute and a half. */
const LAST_PORT = 10_000;
/** Ports that are forwarded and tried at the same time. */
const AT_ONCE = 250;

describe('a running engine', () => {
  let site: Site;
  let folder: string;
  let id: string;
  beforeAll(async () => {
    site = await Site.start();
    id = await site.begin();
    await site.waitFor(id, (job) => job.step === 'copy');
    // Without the cloud there is no grant: the engine rests at "verified" for as long as it is looked at.
    await site.deployment.cloud.stop('SIGKILL');
    const engines = join(site.deployment.folder, CONNECTOR, 'qemu', 'vms');
    const name = (await readdir(engines)).find((each) => each.includes(id));
    folder = join(engines, name ?? 'no engine');
  }, 120_000);
  afterAll(async () => site.stop(), 60_000);

  it('listens on one TCP port of the first 10,000', async () => {
    const monitor = await Monitor.open(join(folder, 'qmp'));
    const open: number[] = [];
    try {
      for (let first = 1; first <= LAST_PORT; first += AT_ONCE) {
        const ports = Array.from({ length: AT_ONCE }, (_, index) => first + index);
        for (const port of ports) await monitor.human(`hostfwd_add net tcp:${nearEnd(port)}-:${port}`);
        const stays = await Promise.all(ports.map(staysOpen));
        for (const port of ports) await monitor.human(`hostfwd_remove net tcp:${nearEnd(port)}`);
        open.push(...ports.filter((_, index) => stays[index]));
      }
    } finally {
      monitor.close();
    }
    expect(open).toEqual([8443]);
  }, 120_000);

  it('has a console without log-in, shell or secret', async () => {
    const console = await readFile(join(folder, 'console.log'), 'utf8');
    expect(console).toMatch(/ips-engine/);
    expect(console).not.toMatch(/login:|\/ #|sh-\d|Press Enter/i);
    expect(console).not.toContain(PASSWORD);
    expect(console).not.toContain('bootKey');
  });

  it('has lost its user data, which held the boot key', async () => {
    const config = await readFile(join(folder, 'config'));
    expect(config.length).toBeGreaterThan(0);
    expect(config.every((byte) => byte === 0)).toBe(true);
  });

  it('is gone after the job is cancelled', async () => {
    await site.deployment.restartCloud();
    await site.deployment.mustRun(['job', 'cancel', id]);
    const job = await site.end(id);
    expect(job.state).toBe('cancelled');
    await site.expectNoTrace(job);
  }, 180_000);
});

const NEAR_PORT = 20_443;

/** A loopback address for each port of the guest. */
function nearHost(port: number): string {
  return `127.99.${port >> 8}.${port & 255}`;
}

function nearEnd(port: number): string {
  return `${nearHost(port)}:${NEAR_PORT}`;
}

/** QEMU's user network accepts for the guest, and closes when the guest refuses: what stays open has a listener. */
async function staysOpen(port: number): Promise<boolean> {
  const socket = connect({ host: nearHost(port), port: NEAR_PORT });
  try {
    const closed = new Promise<false>((resolve) => {
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
    });
    return await Promise.race([closed, sleep(3_000).then(() => true as const)]);
  } finally {
    socket.destroy();
  }
}

/** QEMU's monitor (QMP, qemu-qmp-ref(7)), just enough to run one human command after the other. */
class Monitor {
  readonly #socket: Socket;
  readonly #lines: AsyncIterator<string>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#lines = linesOf(socket);
  }

  static async open(path: string): Promise<Monitor> {
    const monitor = new Monitor(connect(path));
    await monitor.#answer('QMP');
    await monitor.#command({ execute: 'qmp_capabilities' });
    return monitor;
  }

  async human(command: string): Promise<void> {
    await this.#command({ execute: 'human-monitor-command', arguments: { 'command-line': command } });
  }

  close(): void {
    this.#socket.destroy();
  }

  async #command(command: object): Promise<void> {
    this.#socket.write(`${JSON.stringify(command)}\n`);
    await this.#answer('return');
  }

  async #answer(key: string): Promise<void> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error('the monitor closed');
      if (key in JSON.parse(value)) return;
    }
  }
}

async function* linesOf(socket: Socket): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of socket) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line.trim() !== '');
  }
}
