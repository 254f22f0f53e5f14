/**
 * One question to a running QEMU over its QMP socket (docs/interop/qmp-spec.txt). The answer comes from QEMU's main
 * loop, so that having one proves that disks are locked, ports are bound and the VM was started.
 */
import { connect } from 'node:net';
import { z } from 'zod';
import type { Doors } from '../../src/lib/doors.ts';

/** A UNIX socket's path is cut behind this many bytes (unix(7), sun_path without its final NUL). */
export const MAX_SOCKET_PATH = 107;

const MAX_ANSWER = 64 * 1024;
const statusSchema = z.object({ id: z.literal('status'), return: z.object({ status: z.string() }) });

/**
 * The VM's run state, such as `running`; undefined while nobody answers at `path`.
 * @throws the signal's reason; Error when what listens there floods us
 */
export async function qmpStatus(path: string, doors: Doors, signal: AbortSignal): Promise<string | undefined> {
  return await doors.pass('platform', 'qemu.status', () => ask(path, signal));
}

function ask(path: string, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const socket = connect(path);
    const aborted = () => finish(() => reject(signal.reason));
    const finish = (settle: () => void) => {
      signal.removeEventListener('abort', aborted);
      socket.destroy();
      settle();
    };
    signal.addEventListener('abort', aborted, { once: true });
    // Not there yet, or gone again while we asked.
    socket.on('error', () => finish(() => resolve(undefined)));
    socket.on('close', () => finish(() => resolve(undefined)));
    let received = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      received += chunk;
      if (received.length > MAX_ANSWER) finish(() => reject(new Error('QMP: the answer is too long')));
      const status = received
        .split('\n')
        .map(parseStatus)
        .find((each) => each !== undefined);
      if (status !== undefined) finish(() => resolve(status));
    });
    socket.write('{"execute": "qmp_capabilities"}\n{"execute": "query-status", "id": "status"}\n');
  });
}

function parseStatus(line: string): string | undefined {
  try {
    return statusSchema.safeParse(JSON.parse(line)).data?.return.status;
  } catch {
    // The last line is not whole yet.
    return undefined;
  }
}
