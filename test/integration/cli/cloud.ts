/** The real cloud service and the real command, each in its own process, with a home folder of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ToolResult, tryTool } from '../../harness/tools.ts';

const CLOUD = resolve(import.meta.dirname, '../../../src/cloud/main.ts');
export const IPS = resolve(import.meta.dirname, '../../../src/cli/main.ts');
const START_LIMIT_MS = 30_000;

export class CliCloud {
  readonly folder: string;
  readonly url: string;
  readonly pin: string;
  readonly #child: ChildProcess;

  private constructor(folder: string, child: ChildProcess, ready: { url: string; pin: string }) {
    this.folder = folder;
    this.#child = child;
    this.url = ready.url;
    this.pin = ready.pin;
  }

  static async start(): Promise<CliCloud> {
    const folder = await mkdtemp(join(tmpdir(), 'ips-cli-'));
    await mkdir(join(folder, 'home'), { mode: 0o700 });
    const config = { listen: { address: '127.0.0.1', port: 0 }, dataFolder: join(folder, 'cloud') };
    await writeFile(join(folder, 'cloud.json'), JSON.stringify(config));
    const readyFile = join(folder, 'ready.json');
    const args = ['serve', '--config', join(folder, 'cloud.json'), '--ready-file', readyFile];
    const child = spawn(process.execPath, [CLOUD, ...args, '--admin-token-file', join(folder, 'admin-token')], {
      stdio: 'ignore',
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    for (let waited = 0; waited < START_LIMIT_MS && child.exitCode === null; waited += 50) {
      const ready = await readFile(readyFile, 'utf8').catch(() => '');
      if (ready !== '') return new CliCloud(folder, child, JSON.parse(ready));
      await sleep(50);
    }
    child.kill('SIGKILL');
    throw new Error('ips-cloud did not start');
  }

  get home(): string {
    return join(this.folder, 'home');
  }

  get tokenFile(): string {
    return join(this.folder, 'admin-token');
  }

  get environment(): NodeJS.ProcessEnv {
    const { XDG_CONFIG_HOME: _, ...rest } = process.env;
    return { ...rest, HOME: this.home, NODE_OPTIONS: '' };
  }

  async ips(args: readonly string[], input = '', more: NodeJS.ProcessEnv = {}): Promise<ToolResult> {
    return await tryTool(process.execPath, [IPS, ...args], { input, env: { ...this.environment, ...more } });
  }

  /** Runs a command that must succeed. @returns its standard output */
  async must(args: readonly string[], input = ''): Promise<string> {
    const ran = await this.ips(args, input);
    if (ran.code !== 0) throw new Error(`ips ${args.join(' ')} ended with ${ran.code}: ${ran.stderr}`);
    return ran.stdout;
  }

  async logIn(): Promise<void> {
    await this.must(['login', '--url', this.url, '--pin', this.pin, '--token-file', this.tokenFile]);
  }

  /** A queued job: no connector takes it. @returns its id */
  async queueJob(name = 'golden'): Promise<string> {
    const disk = ['--location', 'london', '--disk', '/d.qcow2', '--to', 'smb://h/s', '--name', name];
    const job = JSON.parse(
      await this.must(['export', 'qemu', ...disk, '--credential', 'files', '--no-wait', '--json']),
    );
    return job.id;
  }

  /** A location and a credential to make jobs with. */
  async prepareJobs(): Promise<void> {
    await this.must(['location', 'create', 'london']);
    await this.must(
      ['credential', 'set', 'files', '--username', 'u', '--allow', 'smb://h', '--password-stdin'],
      'pw\n',
    );
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.#child.once('exit', done));
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGTERM');
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
