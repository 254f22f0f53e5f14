/** A link with sockets that a test speaks for. */
import { Link, type LinkHost } from '../../../../src/connector/link.ts';
import { Doors } from '../../../../src/lib/doors.ts';
import { IpsError } from '../../../../src/protocol/errors.ts';
import { CONNECTOR_ID, FakeSocket, middle, TestClock, testLog } from './doubles.ts';

export interface Linked {
  clock: TestClock;
  link: Link;
  lines: Record<string, unknown>[];
  /** Connections so far. */
  sockets: FakeSocket[];
  /** Monotonic time of each try, in ms. */
  tries: number[];
  /** What the host was told, in order. */
  told: string[];
  /** While true, nobody is at the cloud's address; while silent, somebody who does not answer. */
  setAway(away: boolean | 'silent'): void;
  stop(): Promise<void>;
}

export function startLink(host: Partial<LinkHost> = {}): Linked {
  const clock = new TestClock();
  const { log, lines } = testLog();
  const sockets: FakeSocket[] = [];
  const tries: number[] = [];
  const told: string[] = [];
  let away: boolean | 'silent' = false;
  const stopping = new AbortController();
  const link = new Link(
    {
      hello: async () => ({
        connectorId: CONNECTOR_ID,
        instanceId: 'run-1',
        generation: 1,
        version: '1.0.0',
        platforms: ['qemu'],
        slots: 2,
        jobs: [],
      }),
      sign: (text) => `signed ${text.replaceAll('\n', '|')}`,
      storeWelcome: async ({ generation }) => {
        told.push(`store ${generation}`);
      },
      onUp: () => told.push('up'),
      onDown: (error) => told.push(`down ${error.code}`),
      onMessage: (message) => told.push(message.type),
      ...host,
    },
    {
      dial: async (listener, signal) => {
        tries.push(clock.monotonic());
        if (away === 'silent') await clock.sleep(Number.MAX_SAFE_INTEGER, signal);
        if (away) throw new IpsError('CLOUD_UNREACHABLE');
        const socket = new FakeSocket(listener);
        sockets.push(socket);
        signal.addEventListener('abort', () => socket.terminate());
        return socket;
      },
      clock,
      random: middle,
      doors: new Doors(),
      log,
    },
  );
  const running = link.run(stopping.signal);
  return {
    clock,
    link,
    lines,
    sockets,
    tries,
    told,
    setAway: (value) => {
      away = value;
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

export function lastSocket({ sockets }: Linked): FakeSocket {
  const socket = sockets.at(-1);
  if (!socket) throw new Error('the link was not dialled');
  return socket;
}
