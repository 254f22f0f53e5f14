/**
 * The connector's configuration: defaults, then a JSON file, then the environment, then flags. No setting is a secret.
 * What a platform's provider is told is passed on as it stands; the provider checks it.
 */
import { z } from 'zod';
import { loadSettings, SettingsError, type SettingsSources } from '../lib/settings.ts';
import { IpsError } from '../protocol/errors.ts';
import { platformSchema } from '../protocol/job.ts';
import { KNOWN_PLATFORMS } from './providers.ts';

export const DEFAULT_CONFIG_FILE = '/etc/ips-connector/config.json';

const absolutePath = z.string().startsWith('/', 'must be an absolute path');

/** What convict has collected, checked for good. */
const configSchema = z.object({
  stateFolder: absolutePath,
  slots: z.int().min(1).max(64),
  platforms: z
    .array(platformSchema)
    .min(1)
    .refine((list) => list.every((one) => KNOWN_PLATFORMS.includes(one)), 'this release does not serve all of them'),
  engine: z.object({ imageFolder: absolutePath, startTimeoutSeconds: z.int().min(10).max(3600) }),
  log: z.object({ level: z.enum(['error', 'warn', 'info', 'debug']), format: z.enum(['json', 'text']) }),
  qemu: z.record(z.string(), z.unknown()),
});
export type ConnectorConfig = z.infer<typeof configSchema>;

/** The settings with their meaning; the configuration reference is made from it. */
export const CONFIG_SCHEMA = {
  stateFolder: {
    doc: 'Folder for keys, pairing and journal, mode 0700. An absolute path.',
    format: String,
    default: '/var/lib/ips-connector',
    env: 'IPS_CONNECTOR_STATE_FOLDER',
    arg: 'state-folder',
  },
  slots: {
    doc: 'How many jobs may run at the same time, 1 to 64.',
    format: 'nat',
    default: 2,
    env: 'IPS_CONNECTOR_SLOTS',
    arg: 'slots',
  },
  platforms: {
    doc: 'Platforms that this connector serves. In the environment: separated by commas.',
    format: Array,
    default: KNOWN_PLATFORMS,
    env: 'IPS_CONNECTOR_PLATFORMS',
  },
  engine: {
    imageFolder: {
      doc: 'Folder with the engine image (vmlinuz, initrd, root.sqfs, manifest.json). An absolute path.',
      format: String,
      default: '/usr/lib/ips-connector/engine',
      env: 'IPS_CONNECTOR_ENGINE_IMAGE_FOLDER',
    },
    startTimeoutSeconds: {
      doc: 'How long a started engine may take until it answers, in seconds, 10 to 3600.',
      format: 'nat',
      default: 300,
      env: 'IPS_CONNECTOR_ENGINE_START_TIMEOUT_SECONDS',
    },
  },
  log: {
    level: {
      doc: 'The least severe messages that are logged: error, warn, info or debug.',
      format: String,
      default: 'info',
      env: 'IPS_CONNECTOR_LOG_LEVEL',
      arg: 'log-level',
    },
    format: {
      doc: 'json: one object a line, for machines; text: for a person.',
      format: String,
      default: 'json',
      env: 'IPS_CONNECTOR_LOG_FORMAT',
      arg: 'log-format',
    },
  },
  qemu: {
    doc: 'Settings of the qemu provider, see docs/operations.md. In the environment: as JSON.',
    format: Object,
    default: {},
    env: 'IPS_CONNECTOR_QEMU',
  },
};

/** Flags that set a setting, with the setting's meaning. */
export const CONFIG_FLAGS: readonly { flag: string; doc: string }[] = [
  { flag: 'state-folder', doc: CONFIG_SCHEMA.stateFolder.doc },
  { flag: 'slots', doc: CONFIG_SCHEMA.slots.doc },
  { flag: 'log-level', doc: CONFIG_SCHEMA.log.level.doc },
  { flag: 'log-format', doc: CONFIG_SCHEMA.log.format.doc },
];

/** @throws IpsError CONFIG_INVALID naming each setting that is unknown or does not fit */
export function loadConfig(sources: SettingsSources): ConnectorConfig {
  try {
    return loadSettings({ known: CONFIG_SCHEMA, checked: configSchema, defaultFile: DEFAULT_CONFIG_FILE }, sources);
  } catch (error) {
    if (error instanceof SettingsError) throw new IpsError('CONFIG_INVALID', error.message, { cause: error });
    throw error;
  }
}
