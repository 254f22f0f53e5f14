/**
 * A file whose reads can be made to hang in the kernel, like those of a file server that fell silent (FUSE). A guard
 * process takes all of it away when its standard input closes: also when this process is killed, nothing stays.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const GUARD =
  'qemu-storage-daemon --blockdev "$1" --export "$2" & echo $!; cat >/dev/null; kill -KILL $!; umount -l "$3"';

export class HangingFile {
  readonly #guard: ChildProcess;
  readonly #server: number;

  private constructor(guard: ChildProcess, server: number) {
    this.#guard = guard;
    this.#server = server;
  }

  /** Serves the content of `source` at `folder`/`name`. */
  static async serve(source: string, folder: string, name: string): Promise<HangingFile> {
    const path = `${folder}/${name}`;
    await mkdir(folder, { recursive: true });
    await writeFile(path, '');
    const blockdev = `file,node-name=file,filename=${source},read-only=on`;
    const fuse = `fuse,id=export,node-name=file,mountpoint=${path}`;
    const guard = spawn('sh', ['-c', GUARD, 'sh', blockdev, fuse, path], {
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [pid] = await once(guard.stdout, 'data');
    const file = new HangingFile(guard, Number(pid));
    const { size } = await stat(source);
    for (let waited = 0; (await stat(path)).size !== size; waited += 20) {
      if (waited > 10_000) throw new Error('qemu-storage-daemon does not serve the file');
      await sleep(20);
    }
    return file;
  }

  /** From now on reads neither end nor fail. */
  hang(): void {
    process.kill(this.#server, 'SIGSTOP');
  }

  /** Unmounts; reads that hang fail. */
  async remove(): Promise<void> {
    const closed = once(this.#guard, 'close');
    this.#guard.stdin?.end();
    await closed;
  }
}
