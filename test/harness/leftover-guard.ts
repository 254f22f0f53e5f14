/**
 * What ends the rest when nobody else does: virtual machines are detached from everything, so that they outlive a
 * connector, and would outlive a test run that is killed as well. The guard is a process of its own; when its standard
 * input closes without a word, it kills whatever was started with a path in the folder, and removes the folder.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

// The workers of a killed connector need a moment to end, and could start something until then.
const SCRIPT = 'read -r word; [ "$word" = over ] || { sleep 2; pkill -KILL -f -- "$2"; rm -rf "$1"; }';

export interface LeftoverGuard {
  /** Everything was ended in good order: nothing is killed or removed. */
  dismiss(): Promise<void>;
}

export function guardLeftovers(folder: string): LeftoverGuard {
  // As a pattern that does not fit the guard's own arguments, where it stands with its brackets.
  const inside = `${folder.replace(/[.[\]*+?^$(){}|\\]/g, '\\$&')}[/]`;
  // A session of its own, so that Ctrl-C reaches only us, and the guard by the closed pipe.
  const guard = spawn('sh', ['-c', SCRIPT, 'sh', folder, inside], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = once(guard, 'close');
  guard.stdin.on('error', () => undefined);
  return {
    dismiss: async () => {
      guard.stdin.end('over\n');
      await ended;
    },
  };
}
