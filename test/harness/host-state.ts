/**
 * What runs, is mounted and listens on this host, and how two such states differ: the proof that a run leaves nothing behind.
 * Take the first state before anything is started, and both in the same process.
 * Invariant: nothing is dropped. What provably was not started by us is in `ignored`, with the reason; everything else counts.
 */
import {
  type HostMount,
  type HostProcess,
  type HostSocket,
  type LoopDevice,
  readLoopDevices,
  readMounts,
  readProcesses,
  readSockets,
} from './proc-files.ts';

export type HostItem = HostProcess | HostMount | LoopDevice | HostSocket;

export interface HostState {
  /** The process that looked. */
  readonly self: number;
  readonly processes: readonly HostProcess[];
  readonly mounts: readonly HostMount[];
  readonly loops: readonly LoopDevice[];
  readonly sockets: readonly HostSocket[];
}

export interface HostDifference {
  /** Must be empty after a run that cleans up. */
  readonly appeared: readonly HostItem[];
  /** A process in here may have ended by itself: nobody can tell from outside. */
  readonly vanished: readonly HostItem[];
  readonly ignored: readonly { readonly item: HostItem; readonly reason: string }[];
}

/** Reads the state of this host: of the PID, mount and network namespaces that this process is in. Needs root to see sockets' owners. */
export async function captureHostState(): Promise<HostState> {
  // Things go on while we look at one after the other: a socket that came or went in between has no holder, and nobody
  // can tell whose it is. So we look again, until only those have none that had none before.
  let unheld = new Set<number>();
  for (let looks = 1; ; looks += 1) {
    const sockets = await readSockets();
    const [processes, mounts, loops] = await Promise.all([readProcesses(), readMounts(), readLoopDevices()]);
    const alive = new Set(processes.map(({ pid }) => pid));
    const stillUnheld = sockets.filter(({ owners }) => !owners.some((pid) => alive.has(pid)));
    if (stillUnheld.every(({ inode }) => unheld.has(inode)) || looks === MAX_LOOKS)
      return { self: process.pid, processes, mounts, loops, sockets };
    unheld = new Set(stillUnheld.map(({ inode }) => inode));
  }
}

const MAX_LOOKS = 5;

/** What is in `after` and was not in `before`, and the reverse. Things that exist several times alike are counted. */
export function compareHostState(before: HostState, after: HostState): HostDifference {
  const appeared: HostItem[] = [];
  const ignored: { item: HostItem; reason: string }[] = [];
  const strangers = findStrangers(before, after);
  for (const item of without(after, before)) {
    const reason = reasonToIgnore(item, strangers);
    if (reason === undefined) appeared.push(item);
    else ignored.push({ item, reason });
  }
  const vanished: HostItem[] = [];
  for (const item of without(before, after)) {
    if (item.sort === 'process' && item.kernelThread) ignored.push({ item, reason: KERNEL });
    else vanished.push(item);
  }
  return { appeared, vanished, ignored };
}

/** One line about a process, mount, loop device or socket. */
export function describeHostItem(item: HostItem): string {
  switch (item.sort) {
    case 'process':
      return `process ${item.pid} (${item.name}), child of ${item.parent}: ${item.commandLine}`;
    case 'mount':
      return `mount of ${item.source} (${item.type}) at ${item.at}`;
    case 'loop':
      return `loop device ${item.device} with ${item.file}`;
    case 'socket':
      return `${item.kind} socket ${item.address}, held by ${item.owners.length > 0 ? item.owners.join(', ') : 'no process seen'}`;
  }
}

function without(state: HostState, other: HostState): HostItem[] {
  const left = new Map<string, number>();
  for (const item of items(other)) left.set(identity(item), (left.get(identity(item)) ?? 0) + 1);
  return items(state).filter((item) => {
    const count = left.get(identity(item)) ?? 0;
    left.set(identity(item), count - 1);
    return count <= 0;
  });
}

const items = (state: HostState): HostItem[] => [...state.processes, ...state.mounts, ...state.loops, ...state.sockets];

function identity(item: HostItem): string {
  switch (item.sort) {
    case 'process':
      return processIdentity(item);
    case 'mount':
      return JSON.stringify(['mount', item.at, item.type, item.source, item.root]);
    case 'loop':
      return JSON.stringify(['loop', item.device, item.file]);
    case 'socket':
      return JSON.stringify(['socket', item.kind, item.address]);
  }
}

const processIdentity = (item: HostProcess): string => `process ${item.pid} ${item.startTicks}`;

const KERNEL = 'a kernel thread: no program can start or end one by itself';
const ENDED = 'it has ended; only the first process, which adopted it, can collect it';
const STRANGER = 'started by a process, or in a session, that was there before and is not ours';
const STRANGERS_SOCKET = 'held only by processes that are not ours';

function reasonToIgnore(item: HostItem, strangers: ReadonlySet<number>): string | undefined {
  if (item.sort === 'process' && item.kernelThread) return KERNEL;
  if (item.sort === 'process' && item.zombie && item.parent === 1) return ENDED;
  if (item.sort === 'process' && strangers.has(item.pid)) return STRANGER;
  if (item.sort === 'socket' && item.owners.length > 0 && item.owners.every((pid) => strangers.has(pid)))
    return STRANGERS_SOCKET;
  return undefined;
}

/**
 * The processes that we cannot have started, by two rules of the kernel:
 * - A process whose parent ends is adopted only by an ancestor of that parent (a "subreaper") or by the first process. So one whose
 *   line of parents meets a process that was there before, and is neither an ancestor nor a descendant of ours, was started there.
 * - A session cannot be joined, only inherited or founded (setsid(2)). So one in a session that was there before, and is not
 *   ours, was started there. The session's number means the same session as long as one of its old members lives.
 * All others, orphans among them, may be ours.
 */
function findStrangers(before: HostState, after: HostState): Set<number> {
  const parentsBefore = parentsOf(before);
  const parents = parentsOf(after);
  const line = new Set([1, ...lineOf(after.self, parents)]);
  const still = new Set(
    before.processes.filter((each) => !lineOf(each.pid, parentsBefore).includes(before.self)).map(processIdentity),
  );
  const others = after.processes.filter((each) => still.has(processIdentity(each)));
  const own = after.processes.find((each) => each.pid === after.self)?.session;
  const sessions = new Set(others.map((each) => each.session).filter((session) => session !== own));
  const known = new Set(others.map((each) => each.pid));
  const roots = new Set(
    after.processes
      .filter((each) => !line.has(each.pid) && (known.has(each.pid) || sessions.has(each.session)))
      .map((each) => each.pid),
  );
  const strangers = after.processes.filter((each) => {
    const upwards = lineOf(each.pid, parents);
    const end = upwards.findIndex((pid) => line.has(pid));
    return upwards.slice(0, end < 0 ? undefined : end).some((pid) => roots.has(pid));
  });
  return new Set(strangers.map((each) => each.pid));
}

const parentsOf = (state: HostState): Map<number, number> =>
  new Map(state.processes.map((each) => [each.pid, each.parent]));

/** A process and its line of parents, itself first. */
function lineOf(pid: number, parents: ReadonlyMap<number, number>): number[] {
  const line: number[] = [];
  for (let at: number | undefined = pid; at !== undefined && at !== 0 && !line.includes(at); at = parents.get(at))
    line.push(at);
  return line;
}
