/** The hidden `ips-connector worker`, which the daemon forks for each job. */
import { IpsError } from '../../protocol/errors.ts';
import { tokenSchema } from '../../protocol/token.ts';
import { runClaim, runWorker } from '../worker/main.ts';
import { workerEnvironment } from '../worker-environment.ts';
import { WORKER_MODES } from '../worker-messages.ts';
import { configOf, type Flags, loggerOf, systemTools } from './options.ts';

/** What is still on its way when the worker is through may take this long, in ms. */
const LAST_WORDS_MS = 1_000;

export async function worker(jobId: string, token: string, mode: string, flags: Flags): Promise<void> {
  process.title = `ips-connector: job ${jobId}`;
  const config = configOf(flags);
  const tools = systemTools();
  const log = loggerOf(config).child({ jobId, token });
  const known = WORKER_MODES.find((one) => one === mode);
  if (!known) throw new IpsError('USAGE', `There is no worker mode "${mode}".`);
  const environment = await workerEnvironment(config, { ...tools, log });
  if (known === 'claim') await runClaim(environment);
  else await runWorker(environment, jobId, tokenSchema.parse(token), known);
  // The channel's last messages are written out, then nothing keeps the process; a forgotten handle must not either.
  process.channel?.unref();
  tools.clock.after(LAST_WORDS_MS, () => process.exit(0), { background: true });
}
