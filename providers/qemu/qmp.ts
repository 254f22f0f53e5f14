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
const answerSchema = z.object({ id: z.literal('status') });

/**
 * Whether a QEMU answers at `path`.
 * @throws the signal's reason; Error when what listens there floods us
 */
export async function qmpAnswers(path: string, doors: Doors, signal: AbortSignal): Promise<boolean> {
  return await doors.pass('platform', 'qemu.status', () => ask(path, signal));
}

function ask(path: string, signal: AbortSignal): Promise<boolean> {
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
    socket.on('error', () => finish(() => resolve(false)));
    socket.on('close', () => finish(() => resolve(false)));
    let received = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      received += chunk;
      if (received.length > MAX_ANSWER) finish(() => reject(new Error('QMP: the answer is too long')));
      if (received.split('\n').some(isAnswer)) finish(() => resolve(true));
    });
    socket.write('{"execute": "qmp_capabilities"}\n{"execute": "query-status", "id": "status"}\n');
  });
}

function isAnswer(line: string): boolean {
  try {
    return answerSchema.safeParse(JSON.parse(line)).success;
  } catch {
    // The last line is not whole yet.
    return false;
  }
}
