/** The channel of a forked worker. When the supervisor's end closes, this process ends at once: nobody speaks for it. */
import type { ToSupervisor, ToWorker } from '../worker-messages.ts';
import type { WorkerChannel } from './environment.ts';

/** Exit code of a worker whose supervisor went away. */
export const EXIT_DISCONNECTED = 70;

/** @throws Error when this process was not forked with a channel */
export function processChannel(): WorkerChannel {
  if (!process.send) throw new Error('a worker is started by the daemon only');
  process.once('disconnect', () => process.exit(EXIT_DISCONNECTED));
  return {
    send: (message: ToSupervisor) => {
      // A failure to send means that the channel is closing: 'disconnect' follows and ends us.
      process.send?.(message, undefined, undefined, () => undefined);
    },
    onMessage: (listener) => {
      process.on('message', (message) => listener(message as ToWorker));
    },
  };
}
