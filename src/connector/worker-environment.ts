/** What `ips-connector worker` gives to the worker: the real platform, share and lock. */
import { Files } from '../lib/files.ts';
import { Processes } from '../lib/processes.ts';
import type { Platform } from '../protocol/job.ts';
import { SmbClient } from '../share/smb-client.ts';
import type { ConnectorConfig } from './config.ts';
import type { DaemonTools } from './daemon.ts';
import { loadIdentity } from './identity.ts';
import { acquireJobLock, jobLockName } from './job-lock.ts';
import { requirePairing } from './pairing-record.ts';
import { loadProvider } from './providers.ts';
import { requirePrivate, statePaths } from './state-folder.ts';
import type { WorkerChannel, WorkerEnvironment } from './worker/environment.ts';

/** @throws IpsError NOT_PAIRED, FILE_NOT_PRIVATE, CONNECTOR_REFUSED */
export async function workerEnvironment(
  config: ConnectorConfig,
  tools: Omit<DaemonTools, 'fork'> & { channel: WorkerChannel },
): Promise<WorkerEnvironment> {
  const paths = statePaths(config.stateFolder);
  const { connectorId, customerId } = await requirePairing(paths);
  await requirePrivate(paths);
  const { doors, clock, log } = tools;
  const processes = new Processes(doors);
  const files = new Files(doors);
  return {
    ...tools,
    connectorId,
    customerId,
    journalPath: paths.journal,
    engineSecretPath: paths.engineSecret,
    sealKey: (await loadIdentity(paths)).sealKey,
    engineStartTimeoutMs: config.engine.startTimeoutSeconds * 1000,
    openProvider: async (platform) => {
      const createProvider = await loadProvider(platform);
      const stateFolder = paths.provider(platform);
      await files.makePrivateFolder(stateFolder);
      return createProvider({ settings: providerSettings(config, platform), stateFolder, doors, clock, log });
    },
    openShare: (access) => new SmbClient({ processes, clock, access }),
    acquireLock: (jobId) => acquireJobLock(jobLockName(config.stateFolder, jobId), clock),
  };
}

/** The provider's own part of the configuration, and what all of them need to know of the engine. */
function providerSettings(config: ConnectorConfig, platform: Platform): unknown {
  const own = platform === 'qemu' ? config.qemu : {};
  return { engineImageFolder: config.engine.imageFolder, ...own };
}
