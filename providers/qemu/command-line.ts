/**
 * The arguments of QEMU. No secret is among them: the boot key lies on the config disk, which is a 0600 file.
 * The VM gets what the engine needs and nothing else: no default devices, no reboot, QEMU itself in a seccomp sandbox.
 */
import { join } from 'node:path';
import { DISK_SERIAL, ENGINE_PORT } from '../../src/protocol/engine.ts';
import { chainNode } from './blockdev.ts';
import type { EngineImage } from './engine-image.ts';
import type { ImageFile } from './image-chain.ts';
import type { QemuSettings } from './settings.ts';
import { PID_FILE } from './vm-process.ts';

export type Accelerator = 'kvm' | 'tcg';

/** What lies in a VM's own folder. */
export function vmFiles(folder: string) {
  return {
    config: join(folder, 'config'),
    console: join(folder, 'console.log'),
    log: join(folder, 'qemu.log'),
    pid: join(folder, PID_FILE),
    qmp: join(folder, 'qmp'),
  };
}

/** The serial console's file ends here, in bytes: a guest that floods it fills no disk, and its VM goes on. */
const MAX_CONSOLE = 16 * 1024 * 1024;

/** Within these every system emulator runs. */
export const VM_LIMITS = [`--fsize=${MAX_CONSOLE}`];

/**
 * Emulated processors share one time stamp counter, but Linux cannot tell and falls back to a clock that costs a device
 * access a reading; and its tests of its own ciphers cost seconds there.
 */
const KERNEL_OPTIONS = { kvm: '', tcg: ' tsc=reliable cryptomgr.notests=1' };

/** What every VM of ours has, the tried one included. */
export function machineArguments(settings: QemuSettings, accelerator: Accelerator): string[] {
  // Emulated `rep movsb` (erms) goes byte by byte and costs most of the copying speed; appliance/engine/README.md.
  const cpu = { kvm: ['-accel', 'kvm', '-cpu', 'host'], tcg: ['-accel', 'tcg,thread=multi', '-cpu', 'max,-erms'] };
  return [
    '-no-user-config',
    '-nodefaults',
    ...['-display', 'none'],
    '-no-reboot',
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ...['-machine', 'q35,usb=off,vmport=off'],
    ...cpu[accelerator],
    ...['-smp', String(settings.cpus)],
    ...['-m', String(settings.memoryMiB)],
  ];
}

export function engineArguments(engine: {
  settings: QemuSettings;
  accelerator: Accelerator;
  image: Omit<EngineImage, 'version'>;
  name: string;
  folder: string;
  source: ImageFile;
  /** Loopback address of this host that leads to the engine. */
  address: string;
}): string[] {
  const files = vmFiles(engine.folder);
  return [
    ...['-name', engine.name],
    ...['-pidfile', files.pid],
    ...machineArguments(engine.settings, engine.accelerator),
    ...['-kernel', engine.image.kernel],
    ...['-initrd', engine.image.initrd],
    ...['-append', `console=ttyS0 quiet panic=-1${KERNEL_OPTIONS[engine.accelerator]}`],
    ...disk('root', rawNode(engine.image.root)),
    ...disk('config', rawNode(files.config)),
    ...disk('source', chainNode(engine.source)),
    ...['-netdev', `user,id=net,hostfwd=tcp:${engine.address}:${ENGINE_PORT}-:${ENGINE_PORT}`],
    // On the user network virtio has no segmentation offload, and writes to a share at two thirds of this card's speed.
    ...['-device', 'vmxnet3,netdev=net,romfile='],
    ...['-object', 'rng-random,id=rng,filename=/dev/urandom'],
    ...['-device', 'virtio-rng-pci,rng=rng'],
    ...['-chardev', `file,id=console,path=${escaped(files.console)},append=on`],
    ...['-serial', 'chardev:console'],
    ...['-qmp', `unix:${escaped(files.qmp)},server=on,wait=off`],
  ];
}

function disk(id: keyof typeof DISK_SERIAL, node: object): string[] {
  const device = { driver: 'virtio-blk-pci', drive: id, serial: DISK_SERIAL[id] };
  return ['-blockdev', JSON.stringify({ ...node, 'node-name': id }), '-device', JSON.stringify(device)];
}

const rawNode = (path: string) => chainNode({ format: 'raw', path });

/** In QEMU's key=value lists a comma is doubled. */
const escaped = (value: string): string => value.replaceAll(',', ',,');
