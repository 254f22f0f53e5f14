/** The settings of the qemu provider, as they stand in the connector's configuration. */
import { z } from 'zod';
import { IpsError } from '../../src/protocol/errors.ts';

const absolutePath = z.string().startsWith('/', 'an absolute path');

export const qemuSettingsSchema = z.strictObject({
  sourceFolders: z
    .array(absolutePath)
    .min(1)
    .describe('Only image files below these folders are served, and only chains that stay below them.'),
  /** Where vmlinuz, initrd, root.sqfs and manifest.json lie. */
  engineImageFolder: absolutePath,
  memoryMiB: z.int().min(256).max(65_536).default(1024).describe('Memory of an engine, in MiB.'),
  cpus: z.int().min(1).max(16).default(2).describe('Processors of an engine.'),
  binary: z
    .string()
    .min(1)
    .default('qemu-system-x86_64')
    .describe("QEMU's system emulator, as a path or a name in the PATH."),
  accelerator: z
    .enum(['auto', 'kvm', 'tcg'])
    .default('auto')
    .describe('`auto` takes KVM when a guest really starts under it.'),
});
export type QemuSettings = z.infer<typeof qemuSettingsSchema>;

/** @throws IpsError CONFIG_INVALID naming each field that does not fit */
export function parseSettings(settings: unknown): QemuSettings {
  const parsed = qemuSettingsSchema.safeParse(settings);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `qemu.${issue.path.join('.')}: ${issue.message}`);
  throw new IpsError('CONFIG_INVALID', problems.join('; '));
}
