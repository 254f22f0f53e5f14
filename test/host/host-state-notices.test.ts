/** The host state notices what a run could leave behind: processes, mounts, loop devices and sockets of every kind. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../harness/eventually.ts';
import {
  captureHostState,
  compareHostState,
  describeHostItem,
  type HostItem,
  type HostState,
} from '../harness/host-state.ts';
import { limitFolder } from '../harness/limited-folder.ts';
import { internetAddress } from '../harness/proc-files.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { runTool } from '../harness/tools.ts';

const inside = temporaryFolder();
let before: HostState;
let cleanUps: (() => unknown)[] = [];

const appeared = async (): Promise<readonly HostItem[]> => compareHostState(before, await captureHostState()).appeared;

beforeEach(async () => {
  before = await captureHostState();
});
afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  cleanUps = [];
  const leftOver = async (): Promise<string[]> => (await appeared()).map(describeHostItem);
  await eventually(leftOver, (items) => items.length === 0);
});

async function start(program: string, ...args: string[]): Promise<ChildProcess> {
  const child = spawn(program, args);
  cleanUps.push(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  return child;
}

async function listen(server: Server): Promise<Server> {
  cleanUps.push(() => server.close());
  await once(server, 'listening');
  return server;
}

describe('compareHostState', () => {
  it('sees nothing when nothing happened', async () => {
    expect(await appeared()).toEqual([]);
  });

  it('sees a child process, and its end', async () => {
    const child = await start('sleep', '1000');
    const during = await captureHostState();
    expect(compareHostState(before, during).appeared).toMatchObject([
      { sort: 'process', pid: child.pid, name: 'sleep', commandLine: 'sleep 1000' },
    ]);
    child.kill('SIGKILL');
    await once(child, 'close');
    const { vanished } = compareHostState(during, await captureHostState());
    expect(vanished.map((item) => item.sort === 'process' && item.pid)).toContain(child.pid);
  });

  it('sees a daemon that has no parent any more', async () => {
    const pid = Number(await runTool('sh', ['-c', 'setsid sleep 1000 >/dev/null 2>&1 & echo $!']));
    cleanUps.push(() => process.kill(pid, 'SIGKILL'));
    const names = async () =>
      (await appeared()).map((item) => (item.sort === 'process' ? `${item.pid} ${item.name}` : item.sort));
    expect(await eventually(names, (found) => found.includes(`${pid} sleep`))).toEqual([`${pid} sleep`]);
  });

  it('masks what looks like a secret in arguments', async () => {
    await start('sh', '-c', 'read forever', '--password', 'hunter2', '--token=hunter2');
    const lines = (await appeared()).map(describeHostItem).join('\n');
    expect(lines).toContain('--password *** --token=***');
    expect(lines).not.toContain('hunter2');
  });

  it('sees a TCP listener, by address and owner', async () => {
    const server = await listen(createServer().listen(0, '127.0.0.7'));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    expect(await appeared()).toMatchObject([
      { sort: 'socket', kind: 'tcp', address: `127.0.0.7:${port}`, owners: [process.pid] },
    ]);
  });

  it('writes IPv6 addresses as people do', () => {
    expect(internetAddress('00000000000000000000000001000000:1F90')).toBe('[::1]:8080');
    expect(internetAddress('B80D0120000000000000000001000000:0050')).toBe('[2001:db8::1]:80');
  });

  it('sees a UDP socket', async () => {
    const socket = createSocket('udp4');
    cleanUps.push(() => socket.close());
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    expect(await appeared()).toMatchObject([
      { sort: 'socket', kind: 'udp', address: `127.0.0.1:${socket.address().port}` },
    ]);
  });

  it('sees unix sockets, in the file system and abstract', async () => {
    await listen(createServer().listen(inside('socket')));
    await listen(createServer().listen('\0harness lock'));
    const seen = (await appeared()).map((item) => item.sort === 'socket' && `${item.kind} ${item.address}`);
    expect(seen.sort()).toEqual(['abstract harness lock', `unix ${inside('socket')}`]);
  });

  it('sees a mount, also one over another and with a space in its name', async () => {
    await mkdir(inside('a folder'));
    for (let count = 0; count < 2; count++) {
      const limited = await limitFolder(inside('a folder'), 1);
      cleanUps.push(() => limited.remove());
    }
    const mounts = (await appeared()).filter((item) => item.sort === 'mount');
    expect(mounts).toMatchObject([
      { at: inside('a folder'), type: 'tmpfs' },
      { at: inside('a folder'), type: 'tmpfs' },
    ]);
  });

  it('sees a loop device', async () => {
    await writeFile(inside('disk'), '');
    await truncate(inside('disk'), 1024 * 1024);
    const device = (await runTool('losetup', ['--find', '--show', inside('disk')])).trim();
    cleanUps.push(() => runTool('losetup', ['--detach', device]));
    expect((await appeared()).filter((item) => item.sort === 'loop')).toEqual([
      { sort: 'loop', device: device.replace('/dev/', ''), file: inside('disk') },
    ]);
  });
});
