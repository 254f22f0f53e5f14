/** A screen that remembers what was written to it. */
import type { Screen } from '../../../src/cli/progress.ts';

export function fakeScreen(options: { isTTY?: boolean; columns?: number } = {}): Screen & { text: string } {
  return {
    ...options,
    text: '',
    write(text: string) {
      this.text += text;
    },
  };
}
