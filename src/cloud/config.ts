/** The cloud service's configuration: defaults, then a JSON file, then the environment, then flags. No setting is a secret. */
import { z } from 'zod';
import { PIN_PATTERN } from '../lib/pinned-tls.ts';
import { loadSettings, SettingsError, type SettingsSources } from '../lib/settings.ts';
import { IpsError } from '../protocol/errors.ts';
import { nameSchema } from '../protocol/rest.ts';

export const DEFAULT_CONFIG_FILE = '/etc/ips-cloud/config.json';

const absolutePath = z.string().startsWith('/', 'must be an absolute path');
const duration = z.int().min(100).max(86_400_000);

/** What convict has collected, checked for good. */
const configSchema = z
  .object({
    listen: z.object({ address: z.string().min(1), port: z.int().min(0).max(65_535) }),
    dataFolder: absolutePath,
    tls: z.object({
      certificateFile: z.union([z.literal(''), absolutePath]),
      keyFile: z.union([z.literal(''), absolutePath]),
      nextPins: z.array(z.string().regex(PIN_PATTERN, 'a pin is sha256/BASE64')).max(8),
    }),
    walletKeyFile: z.union([z.literal(''), absolutePath]),
    customer: nameSchema,
    leaseTtlMs: duration,
    leaseGraceMs: duration,
    offerTimeoutMs: duration,
    log: z.object({ level: z.enum(['error', 'warn', 'info', 'debug']), format: z.enum(['json', 'text']) }),
  })
  .refine(({ tls }) => (tls.certificateFile === '') === (tls.keyFile === ''), {
    path: ['tls'],
    message: 'certificateFile and keyFile belong together',
  });
export type CloudConfig = z.infer<typeof configSchema>;

/** The settings with their meaning; the configuration reference is made from it. */
export const CONFIG_SCHEMA = {
  listen: {
    address: {
      doc: 'Address to listen on.',
      format: String,
      default: '0.0.0.0',
      env: 'IPS_CLOUD_LISTEN_ADDRESS',
      arg: 'listen-address',
    },
    port: {
      doc: 'TCP port to listen on; 0 takes a free one, which is printed.',
      format: 'nat',
      default: 8440,
      env: 'IPS_CLOUD_LISTEN_PORT',
      arg: 'listen-port',
    },
  },
  dataFolder: {
    doc: 'Folder for the database and, unless said otherwise, the keys, mode 0700. An absolute path.',
    format: String,
    default: '/var/lib/ips-cloud',
    env: 'IPS_CLOUD_DATA_FOLDER',
    arg: 'data-folder',
  },
  tls: {
    certificateFile: {
      doc: 'PEM file with the certificate and its chain. Empty: a self-signed one is made at the first start.',
      format: String,
      default: '',
      env: 'IPS_CLOUD_TLS_CERTIFICATE_FILE',
      arg: 'tls-certificate-file',
    },
    keyFile: {
      doc: 'PEM file with the private key of the certificate, mode 0600.',
      format: String,
      default: '',
      env: 'IPS_CLOUD_TLS_KEY_FILE',
      arg: 'tls-key-file',
    },
    nextPins: {
      doc: 'Pins of keys that will follow the present one, told to connectors ahead. In the environment: separated by commas.',
      format: Array,
      default: [],
      env: 'IPS_CLOUD_TLS_NEXT_PINS',
    },
  },
  walletKeyFile: {
    doc: 'File with the key of the wallet, mode 0600, made at the first start. Empty: wallet.key in the data folder.',
    format: String,
    default: '',
    env: 'IPS_CLOUD_WALLET_KEY_FILE',
    arg: 'wallet-key-file',
  },
  customer: {
    doc: 'Name of the first customer, used at the first start.',
    format: String,
    default: 'default',
    env: 'IPS_CLOUD_CUSTOMER',
    arg: 'customer',
  },
  leaseTtlMs: {
    doc: 'How long the holder of a job may commit it after it asked for that and was answered, in milliseconds.',
    format: 'nat',
    default: 60_000,
    env: 'IPS_CLOUD_LEASE_TTL_MS',
  },
  leaseGraceMs: {
    doc: 'How much longer the cloud waits before another connector may take the job, in milliseconds.',
    format: 'nat',
    default: 30_000,
    env: 'IPS_CLOUD_LEASE_GRACE_MS',
  },
  offerTimeoutMs: {
    doc: 'How long a connector may take to answer an offer, in milliseconds.',
    format: 'nat',
    default: 90_000,
    env: 'IPS_CLOUD_OFFER_TIMEOUT_MS',
  },
  log: {
    level: {
      doc: 'The least severe messages that are logged: error, warn, info or debug.',
      format: String,
      default: 'info',
      env: 'IPS_CLOUD_LOG_LEVEL',
      arg: 'log-level',
    },
    format: {
      doc: 'json: one object a line, for machines; text: for a person.',
      format: String,
      default: 'json',
      env: 'IPS_CLOUD_LOG_FORMAT',
      arg: 'log-format',
    },
  },
};

/** Flags that set a setting, with the setting's meaning. */
export const CONFIG_FLAGS: readonly { flag: string; doc: string }[] = [
  CONFIG_SCHEMA.listen.address,
  CONFIG_SCHEMA.listen.port,
  CONFIG_SCHEMA.dataFolder,
  CONFIG_SCHEMA.tls.certificateFile,
  CONFIG_SCHEMA.tls.keyFile,
  CONFIG_SCHEMA.walletKeyFile,
  CONFIG_SCHEMA.customer,
  CONFIG_SCHEMA.log.level,
  CONFIG_SCHEMA.log.format,
].map(({ arg, doc }) => ({ flag: arg, doc }));

/** @throws IpsError CONFIG_INVALID naming each setting that is unknown or does not fit */
export function loadConfig(sources: SettingsSources): CloudConfig {
  try {
    return loadSettings({ known: CONFIG_SCHEMA, checked: configSchema, defaultFile: DEFAULT_CONFIG_FILE }, sources);
  } catch (error) {
    if (error instanceof SettingsError) throw new IpsError('CONFIG_INVALID', error.message, { cause: error });
    throw error;
  }
}
