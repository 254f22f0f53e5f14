/**
 * A folder on a small file system of its own (tmpfs), to have a share that runs full. A guard process mounts it and takes the
 * mount away when its standard input closes: also when this process is killed, nothing stays mounted.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface LimitedFolder {
  /** Unmounts; what was in the folder is gone. */
  remove(): Promise<void>;
}

// Lazily as the last way: after a kill, the server that used the folder may need a moment to end.
const GUARD =
  'mount -t tmpfs -o "size=$1,mode=0755" limited-share "$2" || exit 1; echo mounted; cat >/dev/null; umount "$2" || umount -l "$2"';

/** Mounts a file system of `mebibytes` MiB at an existing folder. Needs root. */
export async function limitFolder(folder: string, mebibytes: number): Promise<LimitedFolder> {
  // A session of its own, so that Ctrl-C reaches only us, and the guard by the closed pipe.
  const guard = spawn('sh', ['-c', GUARD, 'sh', `${mebibytes}m`, folder], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(guard, 'close');
  const first = await Promise.race([once(guard.stdout, 'data').then(() => 'mounted' as const), ended]);
  if (first !== 'mounted') throw new Error(`could not mount a tmpfs at ${folder} (mount ended with ${first[0]})`);
  guard.stdout.resume();
  return {
    remove: async () => {
      guard.stdin.end();
      const [code] = await ended;
      if (code !== 0) throw new Error(`could not unmount ${folder} (umount ended with ${code})`);
    },
  };
}
