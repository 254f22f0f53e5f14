/**
 * What the kernel's CIFS client cannot do, done by Samba's smbclient: exact reasons for a refusal, free space, and a
 * rename that the server itself refuses when the target exists. One process a call, SMB 3.1.1 with encryption only.
 *
 * The password goes to smbclient's standard input (`PASSWD_FD`, smbclient(1)) and nowhere else: an authentication file
 * would lie on a disk, and loses leading blanks. The host's own smb.conf has no say.
 */
import type { Clock } from '../lib/clock.ts';
import { deadlineSignal } from '../lib/clock.ts';
import { isErrno } from '../lib/files.ts';
import type { Processes } from '../lib/processes.ts';
import type { ShareAccess } from '../protocol/engine.ts';
import { IpsError } from '../protocol/errors.ts';
import { uncHost } from '../protocol/smb-location.ts';
import { checkLogon } from './logon.ts';
import { parseListing } from './smb-listing.ts';
import { smbError, statusOf } from './smb-status.ts';

/** Longest wait for one answer of the server, in seconds. */
const ANSWER_SECONDS = 20;
/** Longest time for a whole call, name resolution and connection included, in ms. */
const CALL_MS = 60_000;
/** What neither Windows takes in a name nor smbclient's command line lets through. */
const FORBIDDEN = /[\\/:*?"<>|;\p{Cc}]/u;

export interface SmbClientOptions {
  processes: Processes;
  clock: Clock;
  /** The share and the folder that all names are relative to. */
  access: ShareAccess;
}

/** Every call throws `IpsError` with one of the SMB codes, or the signal's reason. */
export class SmbClient {
  readonly #options: SmbClientOptions;

  constructor(options: SmbClientOptions) {
    this.#options = options;
  }

  /**
   * Whether logon, share and folder are right; writes nothing.
   * @returns bytes that the user may still write; undefined when the server does not say
   */
  async probe(signal?: AbortSignal): Promise<{ freeBytes: number | undefined }> {
    const answer = await this.#try('smb.probe', `ls ${this.#quote('*')}`, signal);
    refuse(answer);
    return { freeBytes: parseListing(answer.output).freeBytes };
  }

  /** Length of the file in bytes, or undefined when there is none. */
  async size(name: string, signal?: AbortSignal): Promise<number | undefined> {
    const answer = await this.#try('smb.size', `ls ${this.#quote(named(name))}`, signal);
    if (isAbsence(answer)) return undefined;
    refuse(answer);
    return parseListing(answer.output).entries[0]?.size;
  }

  /**
   * Gives a file another name in one step.
   * @throws IpsError TARGET_EXISTS when the server finds something under the new name, which it leaves untouched;
   *   SMB_FAILED when the old name is not there
   */
  async rename(from: string, to: string, signal?: AbortSignal): Promise<void> {
    const command = `rename ${this.#quote(named(from))} ${this.#quote(named(to))}`;
    const answer = await this.#try('smb.rename', command, signal);
    if (isAbsence(answer)) {
      throw new IpsError('SMB_FAILED', `There is no file ${from} to rename. (NT_STATUS_${answer.status})`);
    }
    refuse(answer);
  }

  /** Removes a file; one that is not there counts as removed. */
  async remove(name: string, signal?: AbortSignal): Promise<void> {
    const answer = await this.#try('smb.remove', `del ${this.#quote(named(name))}`, signal);
    if (!isAbsence(answer)) refuse(answer);
  }

  /** Runs one command to its end, well or not. */
  async #try(point: string, command: string, parent: AbortSignal | undefined): Promise<Answer> {
    const { processes, clock, access } = this.#options;
    checkLogon(access);
    const silent = () => new IpsError('SMB_UNREACHABLE', `There was no answer within ${CALL_MS / 1000} s.`);
    const { signal, release } = deadlineSignal(clock, CALL_MS, silent, parent);
    try {
      const ran = await processes.run('smbclient', [...connectionArguments(access), '-c', command], {
        door: 'file',
        point,
        input: `${access.password}\n`,
        env: { PASSWD_FD: '0', LC_ALL: 'C.UTF-8', TZ: 'UTC' },
        signal,
      });
      const output = `${ran.stdout}\n${ran.stderr}`;
      // Some commands fail with exit code 0. A listed name may read like a status, but never at the start of a line.
      const failed = ran.code !== 0 || /^NT_STATUS_/m.test(output);
      return { failed, status: failed ? statusOf(output) : undefined, output };
    } catch (error) {
      if (isErrno(error, 'ENOENT')) throw new IpsError('SMB_FAILED', 'smbclient is not installed.', { cause: error });
      throw error;
    } finally {
      release();
    }
  }

  /** A path below the share in the quotes of smbclient's command line, which knows no escape: nothing in it needs one. */
  #quote(name: string): string {
    const { folder } = this.#options.access;
    const parts = folder === '' ? [] : folder.split('/');
    for (const part of parts) named(part);
    return `"${[...parts, name].join('\\')}"`;
  }
}

interface Answer {
  failed: boolean;
  /** NT status of a failure, without its prefix, if smbclient named one. */
  status: string | undefined;
  output: string;
}

function connectionArguments({ host, port, share, username, domain }: ShareAccess): string[] {
  const logon = domain === undefined ? ['-U', username] : ['-U', username, '-W', domain];
  const security = ['-m', 'SMB3_11', '--option=client min protocol=SMB3_11', '--client-protection=encrypt'];
  const rest = ['-s', '/dev/null', '-p', String(port), '--use-kerberos=off', '-t', String(ANSWER_SECONDS), '-E'];
  return [`//${uncHost(host)}/${share}`, ...logon, ...security, ...rest];
}

/** @throws IpsError REQUEST_INVALID for what could be anything but one name */
function named(name: string): string {
  if (name === '' || name === '.' || name === '..' || FORBIDDEN.test(name)) {
    throw new IpsError('REQUEST_INVALID', `"${name}" is no valid name on a share.`);
  }
  return name;
}

function isAbsence({ status }: Answer): boolean {
  return status === 'NO_SUCH_FILE' || status === 'OBJECT_NAME_NOT_FOUND' || status === 'OBJECT_PATH_NOT_FOUND';
}

function refuse(answer: Answer): void {
  if (answer.failed) throw smbError(answer.output);
}
