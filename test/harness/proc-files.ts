/**
 * Reads what the kernel says about this host, without other programs: processes, mounts, loop devices, sockets that wait
 * for peers. Sources: proc(5), Documentation/filesystems/proc.rst, net/ipv4/tcp_ipv4.c and net/unix/af_unix.c for the tables in /proc/net.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';

export interface HostProcess {
  readonly sort: 'process';
  readonly pid: number;
  /** Clock ticks since boot; with the pid it names a process for good. */
  readonly startTicks: number;
  readonly parent: number;
  readonly session: number;
  readonly name: string;
  /** Cut, and with values behind secret-looking words masked: other programs' arguments may hold anything. */
  readonly commandLine: string;
  readonly kernelThread: boolean;
  /** It has ended, and its parent has not collected it. */
  readonly zombie: boolean;
}

export interface HostMount {
  readonly sort: 'mount';
  readonly at: string;
  readonly type: string;
  readonly source: string;
  /** The folder of the file system that is mounted there. */
  readonly root: string;
}

export interface LoopDevice {
  readonly sort: 'loop';
  readonly device: string;
  readonly file: string;
}

export interface HostSocket {
  readonly sort: 'socket';
  readonly kind: 'tcp' | 'tcp6' | 'udp' | 'udp6' | 'unix' | 'abstract';
  /** `address:port`, a path, or an abstract name without its leading zero byte. */
  readonly address: string;
  readonly inode: number;
  /** Processes that hold it open. */
  readonly owners: readonly number[];
}

/** PF_KTHREAD of include/linux/sched.h. */
const KERNEL_THREAD = 0x00200000;
const LISTEN = '0A';
/** State 7 of a UDP socket: bound, without a fixed peer. */
const UNCONNECTED = '07';
/** __SO_ACCEPTCON: the socket listens. */
const ACCEPTS = 0x10000;
const DATAGRAM = '0002';

const text = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');
const rows = (table: string): string[][] =>
  table
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/));

async function processIds(): Promise<number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
}

/** All processes of this PID namespace. One that ends while it is looked at is left out. */
export async function readProcesses(): Promise<HostProcess[]> {
  const found = await Promise.all((await processIds()).map(readProcess));
  return found.filter((each) => each !== undefined);
}

/** A process's arguments, whole and unmasked; empty when it has ended. */
export async function argumentsOf(pid: number): Promise<string[]> {
  return (await text(`/proc/${pid}/cmdline`)).split('\0').filter((arg) => arg !== '');
}

async function readProcess(pid: number): Promise<HostProcess | undefined> {
  const [stat, args] = await Promise.all([text(`/proc/${pid}/stat`), argumentsOf(pid)]);
  // The name stands in parentheses and may itself hold spaces and parentheses; the fields behind it are plain numbers.
  const nameEnd = stat.lastIndexOf(')');
  if (nameEnd < 0) return undefined;
  const field = stat.slice(nameEnd + 2).split(' ');
  return {
    sort: 'process',
    pid,
    startTicks: Number(field[19]),
    parent: Number(field[1]),
    session: Number(field[3]),
    name: stat.slice(stat.indexOf('(') + 1, nameEnd),
    commandLine: masked(args),
    kernelThread: (Number(field[6]) & KERNEL_THREAD) !== 0,
    zombie: field[0] === 'Z',
  };
}

const SECRET_WORD = /pass|secret|token|key|cred|auth|env/i;

function masked(args: readonly string[]): string {
  const shown = args.map((arg, index) => {
    if (SECRET_WORD.test(args[index - 1] ?? '') && index > 1) return '***';
    const value = arg.search(/[=:{]/);
    return index > 0 && value >= 0 && SECRET_WORD.test(arg) ? `${arg.slice(0, value + 1)}***` : arg;
  });
  const line = shown.join(' ');
  return line.length > 160 ? `${line.slice(0, 160)}…` : line;
}

/** The mounts of this mount namespace. */
export async function readMounts(): Promise<HostMount[]> {
  const lines = (await text('/proc/self/mountinfo')).trim().split('\n');
  return lines.map((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const field = left.split(' ').map(unescaped);
    const [type = '', source = ''] = right.split(' ').map(unescaped);
    return { sort: 'mount', at: field[4] ?? '', type, source, root: field[3] ?? '' };
  });
}

const unescaped = (field: string): string =>
  field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** Loop devices that have a file. */
export async function readLoopDevices(): Promise<LoopDevice[]> {
  const devices = (await readdir('/sys/block').catch(() => [])).filter((name) => name.startsWith('loop'));
  const found = await Promise.all(
    devices.map(async (device): Promise<LoopDevice> => {
      return { sort: 'loop', device, file: (await text(`/sys/block/${device}/loop/backing_file`)).trim() };
    }),
  );
  return found.filter((each) => each.file !== '');
}

/** Sockets of this network namespace that wait for peers: listening ones, and bound datagram sockets without a fixed peer. */
export async function readSockets(): Promise<HostSocket[]> {
  const kinds = ['tcp', 'tcp6', 'udp', 'udp6'] as const;
  const internet = await Promise.all(
    kinds.map(async (kind) => {
      const state = kind.startsWith('tcp') ? LISTEN : UNCONNECTED;
      const waiting = rows(await text(`/proc/net/${kind}`)).filter((row) => row[3] === state);
      return waiting.map((row) => ({ kind, address: internetAddress(row[1] ?? ''), inode: Number(row[9]) }));
    }),
  );
  const all = [...internet.flat(), ...unixSockets(await text('/proc/net/unix'))];
  const owners = await socketOwners();
  return all.map((each) => ({ sort: 'socket', ...each, owners: owners.get(each.inode) ?? [] }));
}

/** A row: slot, references, protocol, flags, type, state, inode, and for a bound socket a name that may hold spaces. */
const UNIX_ROW = /^\S+ \S+ \S+ (?<flags>\S+) (?<type>\S+) \S+ +(?<inode>\d+) (?<name>.+)$/;

function unixSockets(table: string): Pick<HostSocket, 'kind' | 'address' | 'inode'>[] {
  return table.split('\n').flatMap((line) => {
    const { flags = '0', type, inode, name } = UNIX_ROW.exec(line)?.groups ?? {};
    const waits = (Number.parseInt(flags, 16) & ACCEPTS) !== 0 || type === DATAGRAM;
    if (!waits || name === undefined) return [];
    const abstract = name.startsWith('@');
    return [
      { kind: abstract ? 'abstract' : 'unix', address: abstract ? name.slice(1) : name, inode: Number(inode) } as const,
    ];
  });
}

/** The tables hold addresses as hexadecimal 32-bit words in the machine's (little-endian) order, the port in network order. */
export function internetAddress(hex: string): string {
  const [address = '', port = ''] = hex.split(':');
  const bytes = (address.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex').reverse()]);
  const number = Number.parseInt(port, 16);
  if (bytes.length === 4) return `${bytes.join('.')}:${number}`;
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((bytes[2 * index] ?? 0) * 256 + (bytes[2 * index + 1] ?? 0)).toString(16),
  );
  // The URL parser writes an IPv6 address in its short form.
  return `${new URL(`http://[${groups.join(':')}]`).hostname}:${number}`;
}

/** Socket inode → the processes that have it open. */
async function socketOwners(): Promise<Map<number, number[]>> {
  const owners = new Map<number, number[]>();
  await Promise.all(
    (await processIds()).map(async (pid) => {
      const handles = await readdir(`/proc/${pid}/fd`).catch(() => []);
      const targets = await Promise.all(handles.map((handle) => readlink(`/proc/${pid}/fd/${handle}`).catch(() => '')));
      for (const inode of new Set(targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []))) {
        owners.set(Number(inode), [...(owners.get(Number(inode)) ?? []), pid]);
      }
    }),
  );
  return owners;
}
