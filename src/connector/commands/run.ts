/** `ips-connector run`. */
import { Processes } from '../../lib/processes.ts';
import { runDaemon } from '../daemon.ts';
import { workerForker } from '../worker-process.ts';
import { configOf, type Flags, LAST_WORDS_MS, loggerOf, stopSignal, systemTools } from './options.ts';

export async function run(program: string, flags: Flags): Promise<void> {
  const config = configOf(flags);
  const tools = systemTools();
  const log = loggerOf(config);
  const fork = workerForker(program, config, new Processes(tools.doors));
  await runDaemon(config, { ...tools, log, fork }, stopSignal());
  // Workers end when they see their channel close, which it does with this process.
  log.once('finish', () => process.exit(0));
  log.end();
  tools.clock.after(LAST_WORDS_MS, () => process.exit(0));
}
