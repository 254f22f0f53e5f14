/**
 * The smb.conf of a test server: smb.conf(5) of Samba 4.17. All state lies below one folder; nothing of /etc/samba, /var/lib/samba
 * or /run/samba is read or written.
 */
import path from 'node:path';

export interface SambaShare {
  readonly name: string;
  /** The folder behind the share; made when missing. */
  readonly path: string;
  /** Default: true. */
  readonly writable?: boolean;
  /** Users who may only read, on a writable share. */
  readonly readers?: readonly string[];
  /** Puts the share on a file system of this many MiB; its content is gone after `stop`. */
  readonly limitMiB?: number;
}

/** The folders that the configuration names, below the server's own. */
export const STATE_FOLDERS = ['lock', 'state', 'cache', 'private', 'pid', 'ncalrpc', 'log'];

export interface SambaPlace {
  readonly dir: string;
  readonly host: string;
  readonly port: number;
  readonly domain: string;
}

/** The text of smb.conf. `account` tells the system account that a user is mapped to. */
export function sambaConfig(
  place: SambaPlace,
  shares: readonly SambaShare[],
  account: (user: string) => string,
): string {
  const inside = (name: string): string => path.join(place.dir, name);
  return [
    '[global]',
    'server role = standalone server',
    `workgroup = ${place.domain}`,
    'netbios name = TESTSERVER',
    'disable netbios = yes',
    `interfaces = ${place.host}/8`,
    'bind interfaces only = yes',
    `smb ports = ${place.port}`,
    'server min protocol = SMB3_11',
    'server smb encrypt = required',
    'server signing = mandatory',
    'map to guest = never',
    'restrict anonymous = 2',
    `passdb backend = tdbsam:${inside('private/passdb.tdb')}`,
    `username map = ${inside('users.map')}`,
    'idmap config * : range = 100000-199999',
    `lock directory = ${inside('lock')}`,
    `state directory = ${inside('state')}`,
    `cache directory = ${inside('cache')}`,
    `private dir = ${inside('private')}`,
    `pid directory = ${inside('pid')}`,
    `ncalrpc dir = ${inside('ncalrpc')}`,
    `log file = ${inside('log/smbd.log')}`,
    'logging = file',
    'log level = 1',
    'load printers = no',
    'printing = bsd',
    'printcap name = /dev/null',
    'disable spoolss = yes',
    'usershare max shares = 0',
    // No helper programs beside smbd: nobody lists shares over RPC here, and they would live in sessions of their own.
    'rpc start on demand helpers = no',
    ...shares.flatMap((share) => [
      `[${share.name}]`,
      `path = ${share.path}`,
      `read only = ${share.writable === false ? 'yes' : 'no'}`,
      ...(share.readers === undefined ? [] : [`read list = ${share.readers.map(account).join(' ')}`]),
      'force user = root',
    ]),
    '',
  ].join('\n');
}
