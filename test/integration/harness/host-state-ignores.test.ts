/** What the comparison of two host states leaves out, always with a reason: only what we cannot have started. */
import { describe, expect, it } from '@jest/globals';
import { compareHostState, type HostState } from '../../harness/host-state.ts';
import type { HostProcess, HostSocket } from '../../harness/proc-files.ts';

const SELF = 100;

const process = (pid: number, parent: number, more: Partial<HostProcess> = {}): HostProcess => ({
  sort: 'process',
  pid,
  startTicks: pid,
  parent,
  session: pid,
  name: `p${pid}`,
  commandLine: `p${pid}`,
  kernelThread: false,
  zombie: false,
  ...more,
});

const socket = (...owners: number[]): HostSocket => ({
  sort: 'socket',
  kind: 'tcp',
  address: '127.0.0.1:1',
  inode: 1,
  owners,
});

/** init → shell (50) → us (100); init → a stranger (60). */
const family = [process(1, 0), process(50, 1), process(60, 1), process(SELF, 50)];
const state = (processes: readonly HostProcess[], sockets: readonly HostSocket[] = []): HostState => ({
  self: SELF,
  processes: [...family, ...processes],
  mounts: [],
  loops: [],
  sockets,
});
const compare = (after: HostState) => {
  const { appeared, vanished, ignored } = compareHostState(state([]), after);
  return {
    appeared,
    vanished,
    ignored: ignored.map(({ item, reason }) => [item, reason.split(':')[0]?.split(';')[0]]),
  };
};

describe('compareHostState', () => {
  it('counts our children, grandchildren, orphans, and what an ancestor of ours may have adopted', () => {
    const ours = [process(200, SELF), process(201, 200), process(202, 1), process(203, 50)];
    expect(compare(state(ours)).appeared).toEqual(ours);
  });

  it('leaves out what a process started that was there before', () => {
    const theirs = [process(200, 60), process(201, 200)];
    const { appeared, ignored } = compare(state(theirs));
    expect(appeared).toEqual([]);
    expect(ignored.map(([item]) => item)).toEqual(theirs);
    expect(ignored[0]?.[1]).toBe('started by a process, or in a session, that was there before and is not ours');
  });

  it('leaves out an orphan in a session that was there before, unless the session is ours', () => {
    const theirs = process(200, 1, { session: 60 });
    const ofOurAncestor = process(201, 1, { session: 50 });
    const ours = process(202, 1, { session: SELF });
    const { appeared, ignored } = compare(state([theirs, ofOurAncestor, ours]));
    expect(appeared).toEqual([ours]);
    expect(ignored.map(([item]) => item)).toEqual([theirs, ofOurAncestor]);
  });

  it('does not trust the number of a session whose old members are gone', () => {
    const orphan = process(200, 1, { session: 60 });
    const after = { ...state([]), processes: [process(1, 0), process(50, 1), process(SELF, 50), orphan] };
    expect(compare(after).appeared).toEqual([orphan]);
  });

  it('does not take a new process with an old number for the old one', () => {
    const renewed = { ...process(60, 1), startTicks: 999 };
    const child = process(200, 60);
    const after = { ...state([]), processes: [process(1, 0), process(50, 1), renewed, process(SELF, 50), child] };
    expect(compare(after).appeared).toEqual([renewed, child]);
  });

  it('counts what a child of ours starts, even when the child was there before', () => {
    const child = process(150, SELF);
    const grandchild = process(200, 150);
    expect(compareHostState(state([child]), state([child, grandchild])).appeared).toEqual([grandchild]);
  });

  it('leaves out kernel threads, come or gone', () => {
    const thread = process(300, 2, { kernelThread: true });
    expect(compare(state([thread]))).toMatchObject({ appeared: [], ignored: [[thread, 'a kernel thread']] });
    expect(compareHostState(state([thread]), state([]))).toMatchObject({ vanished: [], ignored: [{ item: thread }] });
  });

  it('leaves out a dead orphan, but counts a dead child of ours', () => {
    const orphan = process(200, 1, { zombie: true });
    const child = process(201, SELF, { zombie: true });
    expect(compare(state([orphan, child]))).toMatchObject({ appeared: [child], ignored: [[orphan, 'it has ended']] });
  });

  it('leaves out a socket only when all its holders are strangers', () => {
    const stranger = process(200, 60);
    expect(compare(state([stranger], [socket(200)])).appeared).toEqual([]);
    for (const owners of [[], [SELF], [200, SELF], [50], [1]]) {
      expect(compare(state([stranger], [socket(...owners)])).appeared).toEqual([socket(...owners)]);
    }
  });
});
