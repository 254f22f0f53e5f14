/**
 * Samba's own client as an independent witness of what a share holds. The password goes by a 0600 file in a private folder,
 * never on a command line; the client's state stays in that folder too.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { tryTool } from './tools.ts';

export interface ShareTarget {
  readonly host: string;
  readonly port: number;
  readonly share: string;
  readonly user: string;
  readonly password: string;
  readonly domain?: string;
}

export interface ShareEntry {
  readonly name: string;
  readonly folder: boolean;
  readonly bytes: number;
  /** Letters as smbclient prints them: A archive, D folder, H hidden, N normal, R read-only, S system. */
  readonly attributes: string;
}

export interface ClientAnswer {
  /** 1 for every failure. */
  readonly code: number;
  /** Standard output, then standard error: smbclient writes the reason of a failure (NT_STATUS_…) to either. */
  readonly output: string;
}

/** Runs smbclient commands (`ls; get x`) on a share and returns what it said. `extra` are further command line options. */
export async function smbclient(
  target: ShareTarget,
  command: string,
  extra: readonly string[] = [],
): Promise<ClientAnswer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'smbclient-'));
  try {
    const domain = target.domain === undefined ? '' : `domain = ${target.domain}\n`;
    const authentication = path.join(folder, 'authentication');
    await writeFile(authentication, `username = ${target.user}\npassword = ${target.password}\n${domain}`, {
      mode: 0o600,
    });
    const config = path.join(folder, 'smb.conf');
    const places = ['lock directory', 'state directory', 'cache directory', 'private dir'].map(
      (key) => `${key} = ${folder}\n`,
    );
    await writeFile(config, `[global]\nclient min protocol = SMB2\n${places.join('')}`);
    const where = [`//${target.host}/${target.share}`, '-p', String(target.port), '-s', config, '-A', authentication];
    const { code, stdout, stderr } = await tryTool('smbclient', [...where, ...extra, '-c', command]);
    return { code, output: stdout + stderr };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Lists a folder of a share, `folder` with backslashes and relative to the share. Throws with what smbclient said. */
export async function smbclientList(target: ShareTarget, folder = ''): Promise<ShareEntry[]> {
  const { code, output } = await smbclient(target, `ls "${folder === '' ? '' : `${folder}\\`}*"`);
  // An empty folder has at least `.`; "no such file" is then a folder that is not there.
  if (code !== 0) throw new Error(`smbclient could not list ${target.share}: ${output.trim()}`);
  return output.split('\n').flatMap((line) => {
    const found = /^ {2}(.+?) +([A-Za-z]*) +(\d+) {2}\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}$/.exec(line);
    const [, name = '.', attributes = '', bytes] = found ?? [];
    return name === '.' || name === '..'
      ? []
      : [{ name, folder: attributes.includes('D'), bytes: Number(bytes), attributes }];
  });
}
