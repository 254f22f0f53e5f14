/**
 * The qemu provider: sources are image files on the connector's own machine, the engine is a VM under this machine's
 * QEMU. Everything it makes is bound to this host; nobody else can take it away.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Files } from '../../src/lib/files.ts';
import { Processes } from '../../src/lib/processes.ts';
import { DISK_SERIAL, ENGINE_PORT } from '../../src/protocol/engine.ts';
import { IpsError, isIpsError } from '../../src/protocol/errors.ts';
import type { JobParameters, QemuSource } from '../../src/protocol/job.ts';
import type { CreateProvider, Provider, ProviderContext } from '../contract.ts';
import { chooseAccelerator, doubtAccelerator } from './accelerator.ts';
import { wipeConfig } from './config-disk.ts';
import { consoleTail } from './console.ts';
import { FOLDER_KIND, findVm, jobOf, startVm, VM_KIND, type VmTools, vmName } from './engine-vm.ts';
import { seenFromEngine } from './loopback.ts';
import { preflight } from './preflight.ts';
import { QemuImg } from './qemu-img.ts';
import { parseSettings } from './settings.ts';
import { openSource, readSourceChain } from './source.ts';
import { SourceFolders } from './source-folders.ts';
import { refuseReplaced } from './stranger.ts';
import { teardown } from './teardown.ts';
import { findVms, platformIdOf } from './vm-process.ts';

/** @throws IpsError CONFIG_INVALID when the settings do not fit */
export const createProvider: CreateProvider = ({ stateFolder, doors, clock, log, ...environment }) => {
  const settings = parseSettings(environment.settings);
  const processes = new Processes(doors);
  const files = new Files(doors);
  const folders = new SourceFolders(settings.sourceFolders);
  const qemuImg = new QemuImg({ processes, clock });
  const vms: VmTools = { settings, vmsFolder: join(stateFolder, 'vms'), processes, files, doors, clock, log };

  const running = (context: ProviderContext) => findVm(vms, vmName(context));
  const provider: Provider = {
    platform: 'qemu',

    async claim(parameters) {
      const { path } = sourceOf(parameters);
      const located = await folders.locate(path);
      if (located.kind !== 'inside') throw new IpsError('SOURCE_NOT_HERE', REASONS[located.kind](path));
    },

    async preflight(parameters, _context, signal) {
      return await preflight({ settings, folders, qemuImg, processes, clock }, sourceOf(parameters), signal);
    },

    async describeSource(parameters, context, signal) {
      const { image, virtualSize } = await openSource({ folders, qemuImg }, sourceOf(parameters), signal);
      const { extents, bytes } = await qemuImg.dataExtents(image, virtualSize, signal);
      const vm = await running(context);
      if (vm) await refuseReplaced(vm, (await readSourceChain(folders, sourceOf(parameters), signal)).files);
      // QEMU sees no holes in a VHDX; but nothing is compressed there, so it holds no more data than the file is long.
      const most = image.format === 'vhdx' ? (await stat(image.path)).size : virtualSize;
      return { serial: DISK_SERIAL.source, virtualSize, dataExtents: extents, dataBytes: Math.min(bytes, most) };
    },

    async startEngine({ parameters, userData }, context, signal) {
      const order = async () => {
        const accelerator = await chooseAccelerator({ settings, stateFolder, processes, files, clock, log }, signal);
        // Last, so that little time lies between this look and QEMU's.
        return { accelerator, source: await readSourceChain(folders, sourceOf(parameters), signal) };
      };
      try {
        await startVm(vms, context, { userData, order }, signal);
      } catch (error) {
        if (isIpsError(error) && error.code === 'ENGINE_START_FAILED') await doubtAccelerator({ stateFolder, files });
        throw error;
      }
    },

    async engineAddress(context) {
      const address = (await running(context))?.address;
      return address === undefined ? undefined : { host: address, port: ENGINE_PORT };
    },

    async engineAlive(context) {
      return (await running(context)) !== undefined;
    },

    async removeUserData(context) {
      await wipeConfig(files, join(vms.vmsFolder, vmName(context)));
    },

    async console(context) {
      return await consoleTail(join(vms.vmsFolder, vmName(context)));
    },

    hostSeenFromEngine: seenFromEngine,

    async teardown(context, signal) {
      await teardown(vms, context, signal);
    },

    async list() {
      const found = (await findVms(vms.vmsFolder)).map((vm) => ({
        kind: VM_KIND,
        name: vm.name,
        platformId: platformIdOf(vm),
      }));
      const names = await readdir(vms.vmsFolder).catch(() => []);
      const folderRows = names.map((name) => ({ kind: FOLDER_KIND, name, platformId: join(vms.vmsFolder, name) }));
      return [...found, ...folderRows].map((each) => {
        const jobId = jobOf(each.name);
        return jobId === undefined ? each : { ...each, jobId };
      });
    },
  };
  return provider;
};

const REASONS = {
  missing: (path: string) => `There is no ${path} on this machine.`,
  unreadable: (path: string) => `The connector may not look at ${path}.`,
  outside: (path: string) => `${path} lies outside the source folders of this machine.`,
  noFile: (path: string) => `${path} is no plain file.`,
} as const;

function sourceOf(parameters: JobParameters): QemuSource {
  if (parameters.source.platform !== 'qemu') throw new Error('the source is not on the qemu platform');
  return parameters.source;
}
