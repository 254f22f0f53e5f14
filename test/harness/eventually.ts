/** Waiting in tests for something that other processes do: with an end, so that a broken test fails instead of going on for ever. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again until the answer satisfies; returns it. Throws after `limitMs` with the last answer. */
export async function eventually<T>(
  ask: () => Promise<T>,
  satisfies: (answer: T) => boolean,
  limitMs = 30_000,
): Promise<T> {
  for (const start = performance.now(); ; ) {
    const answer = await ask();
    if (satisfies(answer)) return answer;
    if (performance.now() - start > limitMs) throw new Error(`still ${JSON.stringify(answer)} after ${limitMs} ms`);
    await sleep(25);
  }
}
