/** The hidden `ips-connector worker`, which the daemon forks for each job. */
import { IpsError } from '../../protocol/errors.ts';
import { tokenSchema } from '../../protocol/token.ts';
import { runClaim, runWorker } from '../worker/main.ts';
import { processChannel } from '../worker/process-channel.ts';
import { workerEnvironment } from '../worker-environment.ts';
import { WORKER_MODES } from '../worker-messages.ts';
import { LAST_WORDS_MS, loggerOf, systemTools } from './options.ts';

export async function worker(jobId: string, token: string, mode: string): Promise<void> {
  process.title = `ips-connector: job ${jobId}`;
  const tools = systemTools();
  try {
    const known = WORKER_MODES.find((one) => one === mode);
    if (!known) throw new IpsError('USAGE', `There is no worker mode "${mode}".`);
    const { channel, configuration } = processChannel();
    const config = await configuration;
    const log = loggerOf(config).child({ jobId, token });
    const environment = await workerEnvironment(config, { ...tools, log, channel });
    if (known === 'claim') await runClaim(environment);
    else await runWorker(environment, jobId, tokenSchema.parse(token), known);
  } finally {
    // Well or not, it ends: the last messages are written out, then nothing keeps the process. A forgotten handle must
    // not either, nor a file call that never returns, for which every other end would wait.
    process.channel?.unref();
    tools.clock.after(LAST_WORDS_MS, () => process.kill(process.pid, 'SIGKILL'), { background: true });
  }
}
