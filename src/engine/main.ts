/**
 * ips-engine: the agent of one job. In its VM it takes no arguments: its user data and its source come as disks, the
 * share is mounted by the kernel. It ends when it is told to, or at its deadline, and the machine powers off with it.
 *
 * For a test it also runs as a plain process, the same in everything but the machine:
 *   ips-engine --user-data FILE --source FILE --share-folder FOLDER --port N [--host ADDRESS]
 * Only the mount is replaced by a folder, and the disks by files.
 *
 * Standard output is the VM's console, which anybody may read: never a secret there, nor what a task holds.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { systemClock } from '../lib/clock.ts';
import { Doors } from '../lib/doors.ts';
import { Files } from '../lib/files.ts';
import { Processes } from '../lib/processes.ts';
import { hostUptime } from '../lib/uptime.ts';
import { VERSION } from '../lib/version.ts';
import { Agent } from './agent.ts';
import { Deadline } from './deadline.ts';
import { EventLog } from './event-log.ts';
import { RunningExport } from './export-task.ts';
import { EngineKeys } from './keys.ts';
import { type Machine, plainProcess, virtualMachine } from './machine.ts';
import { EngineServer } from './server.ts';
import { parseUserData } from './user-data.ts';

/** Longest time for cleaning up when the deadline has passed, in ms. */
const LAST_CLEANUP_MS = 90_000;

process.title = 'ips-engine';
// Reading, hashing and writing run beside each other on libuv's pool, which is made when it is first used.
process.env.UV_THREADPOOL_SIZE = '8';

const clock = systemClock();
const doors = new Doors();
const machine = chooseMachine();
const userData = parseUserData(await readFile(await machine.userDataPath()));
const { bootId } = hostUptime();

const deadline = new Deadline({
  clock,
  uptime: () => hostUptime().ms,
  seconds: userData.deadlineSeconds,
  hardSeconds: userData.hardDeadlineSeconds,
  onPassed: () => {
    console.log('ips-engine: the deadline has passed');
    clock.after(LAST_CLEANUP_MS, end);
    void agent.expire().finally(end);
  },
});

const agent = new Agent({
  bootId,
  engineVersion: VERSION,
  userData,
  keys: new EngineKeys(userData.bootKey),
  events: new EventLog(bootId),
  deadline,
  createTask: (task, emit) =>
    new RunningExport(task, {
      clock,
      doors,
      emit,
      share: machine.share(task.target.share),
      openSource: (signal) => machine.openSource(task.source.serial, signal),
    }),
});

const onFinished = () => {
  console.log('ips-engine: finished');
  end();
};
const server = new EngineServer({ agent, clock, doors, ...machine.listen, onFinished });
const port = await server.listen();
console.log(`ips-engine ${VERSION}: listening on ${machine.listen.host}:${port}, boot ${bootId}`);

/** By signal: an exit would wait for those threads of the pool that a silent file server holds. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

function chooseMachine(): Machine {
  const { values } = parseArgs({
    options: {
      'user-data': { type: 'string' },
      source: { type: 'string' },
      'share-folder': { type: 'string' },
      port: { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
    },
  });
  const { 'user-data': userDataFile, source, 'share-folder': shareFolder, port: portText, host } = values;
  if (userDataFile === undefined) {
    return virtualMachine({ clock, processes: new Processes(doors), files: new Files(doors) });
  }
  if (source === undefined || shareFolder === undefined || portText === undefined) {
    throw new Error('--user-data needs --source, --share-folder and --port');
  }
  return plainProcess({ userData: userDataFile, source, shareFolder, listen: { host, port: Number(portText) } }, doors);
}
