/**
 * A real Samba server for tests and the demo: SMB 3.1.1 only, encryption and signing required, everything it writes in one
 * private folder. SMB users are mapped to system accounts that every Debian has, and files are written as root: no account of
 * the host is touched. Needs root.
 * Invariants: smbd ends when its standard input closes, so it never outlives this process; after `stop` no process, socket or mount
 * of it is left. Passwords go to pdbedit's standard input only.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type LimitedFolder, limitFolder } from './limited-folder.ts';
import { readProcesses, readSockets } from './proc-files.ts';
import { type SambaShare, STATE_FOLDERS, sambaConfig } from './samba-config.ts';
import { runTool } from './tools.ts';

export interface SambaOptions {
  /** For configuration, state and logs; made when missing. At most 80 characters, since sockets lie in it. */
  readonly dir: string;
  readonly shares: readonly SambaShare[];
  readonly user: string;
  readonly password: string;
  /** The server's workgroup; a client may give any domain. Default: LAB. */
  readonly domain?: string;
  /** Default: 127.0.0.1. A guest behind QEMU's user network reaches it as 10.0.2.2. */
  readonly address?: string;
  /** Default: a free one. */
  readonly port?: number;
}

export interface OpenFile {
  /** Relative to the share. */
  readonly name: string;
  /** The folder behind the share. */
  readonly sharePath: string;
}

/** System accounts (base-passwd) that SMB users are mapped to, one each. */
const ACCOUNTS = ['daemon', 'bin', 'sys', 'games', 'man', 'lp', 'mail', 'news'];
const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 5_000;
const PORT_ATTEMPTS = 3;

/** Starts a server and returns when it accepts connections. Throws with the end of its log when it does not come up. */
export async function startSamba(options: SambaOptions): Promise<Samba> {
  const samba = new Samba(options);
  try {
    await samba.start();
    return samba;
  } catch (error) {
    await samba.stop();
    throw error;
  }
}

export class Samba {
  readonly host: string;
  readonly user: string;
  readonly domain: string;
  /** The configuration file, for Samba's own tools (`-s`). */
  readonly conf: string;
  readonly #dir: string;
  readonly #options: SambaOptions;
  readonly #users: string[] = [];
  #limited: LimitedFolder[] = [];
  #port: number;
  #prepared = false;
  #server: ChildProcess | undefined;

  constructor(options: SambaOptions) {
    this.#options = options;
    this.#dir = path.resolve(options.dir);
    if (this.#dir.length > 80) throw new Error(`${this.#dir} is too long for the sockets in it`);
    this.host = options.address ?? '127.0.0.1';
    this.#port = options.port ?? 0;
    this.user = options.user;
    this.domain = options.domain ?? 'LAB';
    this.conf = path.join(this.#dir, 'smb.conf');
  }

  get port(): number {
    return this.#port;
  }

  /** The folder behind a share. */
  sharePath(name: string): string {
    const share = this.#options.shares.find((each) => each.name === name);
    if (share === undefined) throw new Error(`there is no share ${name}`);
    return share.path;
  }

  /** Adds a user; also while the server runs. */
  async addUser(user: string, password: string): Promise<void> {
    const account = this.#account(user);
    // "!" ends the mapping here: otherwise a user named like a system account would be mapped on.
    await writeFile(
      path.join(this.#dir, 'users.map'),
      this.#users.map((each) => `!${this.#account(each)} = "${each}"\n`).join(''),
    );
    await runTool('pdbedit', ['-s', this.conf, '-t', '-a', '-u', account], { input: `${password}\n${password}\n` });
  }

  /** Starts the server: the first time, and after `kill` on the same port with the same state. */
  async start(): Promise<void> {
    if (this.#server !== undefined) throw new Error('the server runs');
    if (this.#prepared) return this.#launch();
    await this.#prepare();
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#launch();
      } catch (error) {
        // Between the search for a free port and its use, someone else may take it.
        if (attempt === PORT_ATTEMPTS || this.#options.port !== undefined) throw error;
        this.#port = await freePort(this.host);
        await this.#writeConfig();
      }
    }
  }

  /** Ends the server as a power cut would (SIGKILL for all its processes); its state and mounts stay. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** `kill`, then `start`. */
  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** The server stands still: connections are accepted by the kernel, and nobody answers. */
  freeze(): void {
    this.#signal('SIGSTOP');
  }

  thaw(): void {
    this.#signal('SIGCONT');
  }

  /** Files that clients have open, from smbstatus. */
  async openFiles(): Promise<OpenFile[]> {
    const status = statusSchema.parse(JSON.parse(await runTool('smbstatus', ['-s', this.conf, '--json'])));
    return Object.values(status.open_files).map((file) => ({ name: file.filename, sharePath: file.service_path }));
  }

  /** Ends the server and removes its mounts. Files in the folder stay. May be called again. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    const limited = this.#limited;
    this.#limited = [];
    for (const folder of limited) await folder.remove();
  }

  async #prepare(): Promise<void> {
    this.#prepared = true;
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    for (const folder of STATE_FOLDERS) await mkdir(path.join(this.#dir, folder), { recursive: true, mode: 0o755 });
    for (const share of this.#options.shares) {
      await mkdir(share.path, { recursive: true });
      if (share.limitMiB !== undefined) this.#limited.push(await limitFolder(share.path, share.limitMiB));
    }
    if (this.#options.port === undefined) this.#port = await freePort(this.host);
    await this.#writeConfig();
    await this.addUser(this.user, this.#options.password);
  }

  #account(user: string): string {
    if (!this.#users.includes(user)) this.#users.push(user);
    const account = ACCOUNTS[this.#users.indexOf(user)];
    if (account === undefined) throw new Error(`at most ${ACCOUNTS.length} users`);
    return account;
  }

  async #writeConfig(): Promise<void> {
    const place = { dir: this.#dir, host: this.host, port: this.#port, domain: this.domain };
    const text = sambaConfig(place, this.#options.shares, (user) => this.#account(user));
    await writeFile(this.conf, text);
    // With a file that it cannot load, pdbedit would go on with the host's own configuration and passwords.
    await runTool('testparm', ['--suppress-prompt', this.conf]);
  }

  async #launch(): Promise<void> {
    const output = path.join(this.#dir, 'log/output.log');
    await writeFile(output, '');
    // A session of its own: Ctrl-C reaches only us, and all its processes can be ended together.
    const script = 'exec smbd --daemon --foreground --no-process-group -s "$1" >>"$2" 2>&1';
    const server = spawn('sh', ['-c', script, 'sh', this.conf, output], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#server = server;
    server.on('error', () => undefined);
    try {
      for (let waited = 0; !(await this.#listens(server.pid)); waited += 50) {
        if (
          server.exitCode !== null ||
          server.signalCode !== null ||
          server.pid === undefined ||
          waited > START_LIMIT_MS
        ) {
          const logs = await Promise.all(
            [output, path.join(this.#dir, 'log/smbd.log')].map((file) => readFile(file, 'utf8').catch(() => '')),
          );
          throw new Error(`smbd does not listen on ${this.host}:${this.port}:\n${logs.join('').slice(-2000)}`);
        }
        await sleep(50);
      }
    } catch (error) {
      await this.#end('SIGKILL');
      throw error;
    }
  }

  /** Whether it is this server that listens on the port, not another program. */
  async #listens(pid: number | undefined): Promise<boolean> {
    if (pid === undefined) return false;
    const sockets = await readSockets();
    return sockets.some(
      (each) => each.kind === 'tcp' && each.address === `${this.host}:${this.port}` && each.owners.includes(pid),
    );
  }

  /** To the listening process: without it no connection gets a process of its own. */
  #signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.#server?.pid === undefined) throw new Error('the server does not run');
    process.kill(this.#server.pid, signal);
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server?.pid === undefined) return;
    for (let waited = 0; (await this.#members(server.pid)).length > 0; waited += 25) {
      if (waited > 4 * STOP_LIMIT_MS) throw new Error(`smbd (session ${server.pid}) does not end`);
      // Again every time: a process may fork while the others are told.
      for (const pid of await this.#members(server.pid)) sendSignal(pid, waited > STOP_LIMIT_MS ? 'SIGKILL' : signal);
      await sleep(25);
    }
  }

  async #members(session: number): Promise<number[]> {
    return (await readProcesses()).filter((each) => each.session === session && !each.zombie).map((each) => each.pid);
  }
}

const statusSchema = z.object({
  open_files: z.record(z.string(), z.object({ service_path: z.string(), filename: z.string() })),
});

function sendSignal(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself meanwhile.
  }
}

async function freePort(host: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const probe = createServer().once('error', reject);
  probe.listen(0, host, () => {
    const address = probe.address();
    probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
  });
  return promise;
}
