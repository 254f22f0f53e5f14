/**
 * The channel of a forked worker. When the supervisor's end closes, this process ends at once, since nobody speaks for
 * it any more: by SIGKILL, because `process.exit` waits for file calls under way, and one on a dead file server never
 * returns.
 */
import type { ConnectorConfig } from '../config.ts';
import type { ToSupervisor, ToWorker } from '../worker-messages.ts';
import type { WorkerChannel } from './environment.ts';

/**
 * Opens this process's channel. What the supervisor says before anybody listens is kept.
 * @throws Error when this process was not forked with a channel
 */
export function processChannel(): { channel: WorkerChannel; configuration: Promise<ConnectorConfig> } {
  if (!process.send) throw new Error('a worker is started by the daemon only');
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  const configuration = Promise.withResolvers<ConnectorConfig>();
  const early: ToWorker[] = [];
  let listen = (message: ToWorker): void => void early.push(message);
  process.on('message', (said) => {
    const message = said as ToWorker;
    if (message.type === 'configuration') configuration.resolve(message.config);
    else listen(message);
  });
  const channel: WorkerChannel = {
    send: (message: ToSupervisor) => {
      // A failure to send means that the channel is closing: 'disconnect' follows and ends us.
      process.send?.(message, undefined, undefined, () => undefined);
    },
    onMessage: (listener) => {
      listen = listener;
      for (const message of early.splice(0)) listener(message);
    },
  };
  return { channel, configuration: configuration.promise };
}
