/** Where on a file server: `smb://host[:port]/share[/folder…]`. User names and passwords never stand in it. */
import { z } from 'zod';

/** TCP port of SMB over TCP ([MS-SMB2] section 2.1). */
export const SMB_PORT = 445;

export interface SmbLocation {
  /** Host name or address, lower case. */
  host: string;
  port: number;
  share: string;
  /** Folder below the share with `/` between its parts; empty for the share itself. */
  folder: string;
}

/** One path part: what Windows and Samba both take, nothing that climbs out of the folder or needs quoting. */
const PART = /^(?!\.{1,2}$)[^\\/:*?"<>|;\p{Cc}]{1,200}(?<![ .])$/u;
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]+\])$/;

/** @throws Error with one sentence when the text is no such location */
export function parseSmbLocation(text: string): SmbLocation {
  const match = /^smb:\/\/([^/:@[\]]+|\[[^\]]+\])(?::(\d{1,5}))?\/([^/]+)((?:\/[^/]+)*)\/?$/i.exec(text);
  if (!match) throw new Error('expected smb://host[:port]/share[/folder]');
  const host = (match[1] ?? '').toLowerCase();
  const port = match[2] === undefined ? SMB_PORT : Number(match[2]);
  const share = decode(match[3] ?? '');
  const parts = (match[4] ?? '')
    .split('/')
    .filter((part) => part !== '')
    .map(decode);
  if (!HOST.test(host)) throw new Error('the host name is not valid');
  if (port < 1 || port > 65_535) throw new Error('the port must be between 1 and 65535');
  for (const part of [share, ...parts]) {
    // mount.cifs(8) hands share and folder on in a list of options, and has no way to write a comma there.
    if (part.includes(',')) throw new Error(`"${part}" has a comma, which the engine cannot mount`);
    if (!PART.test(part)) throw new Error(`"${part}" is no valid name on a share`);
  }
  return { host, port, share, folder: parts.join('/') };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Error('a % sign must begin a two-digit code');
  }
}

/** The location as one canonical text. */
export function formatSmbLocation(location: SmbLocation): string {
  const port = location.port === SMB_PORT ? '' : `:${location.port}`;
  const folder = location.folder === '' ? '' : `/${location.folder.split('/').map(encodeURIComponent).join('/')}`;
  return `smb://${location.host}${port}/${encodeURIComponent(location.share)}${folder}`;
}

/** The host as smbclient, mount.cifs and resolvers have it: an IPv6 address without its brackets. */
export function uncHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

export const smbLocationSchema = z
  .string()
  .max(1024)
  .superRefine((text, context) => {
    try {
      parseSmbLocation(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'not valid' });
    }
  })
  .describe('smb://host[:port]/share[/folder]');

/**
 * Bytes of UTF-8. The kernel's CIFS client takes names of 255 bytes (a Windows server: of 255 UTF-16 units, which are
 * never more), and the temporary name holds the file's, the longest lease token and 40 characters more.
 */
export const MAX_DISK_NAME_BYTES = 180;

/** A file name on the share, without its extension. */
export const diskNameSchema = z
  .string()
  .regex(/^(?![.])[^\\/:*?"<>|;\p{Cc}]{1,100}(?<![ .])$/u, 'not a valid file name')
  .refine((name) => Buffer.byteLength(name) <= MAX_DISK_NAME_BYTES, `at most ${MAX_DISK_NAME_BYTES} bytes of UTF-8`)
  .describe('file name without extension');
