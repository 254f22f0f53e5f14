/** Files on a server that fell silent: an abort waits for no call, and what is given up is waited for a moment only. */
import { describe, expect, it } from '@jest/globals';
import type { RandomAccess } from '../../../src/disk/access.ts';
import { forAMoment, withFile } from '../../../src/engine/silent-server.ts';
import { ManualClock } from './manual-clock.ts';
import { settle } from './scripted-task.ts';

const never = () => new Promise<never>(() => undefined);

function start() {
  const clock = new ManualClock();
  const abort = new AbortController();
  const closing = Promise.withResolvers<void>();
  const file: RandomAccess & { closes: number } = {
    size: 0,
    closes: 0,
    read: never,
    close: async () => {
      file.closes += 1;
      await closing.promise;
    },
  };
  return { clock, abort, closing, file, tools: { clock, signal: abort.signal } };
}

/** How a promise ended, or that it did not. */
async function endOf(promise: Promise<unknown>): Promise<string> {
  await settle();
  const open = Promise.resolve('open');
  return await Promise.race([promise.then(String, (error: Error) => error.message), open.then(() => open)]);
}

describe('the use of a file', () => {
  it('ends when the file is closed', async () => {
    const { closing, file, tools, clock } = start();
    const used = withFile(Promise.resolve(file), async () => 'result', tools);
    expect(await endOf(used)).toBe('open');
    closing.resolve();
    expect(await endOf(used)).toBe('result');
    expect([file.closes, clock.timers]).toEqual([1, 0]);
  });

  it('fails when closing fails, since what was written may be lost then', async () => {
    const { closing, file, tools } = start();
    closing.reject(new Error('ENOSPC'));
    await expect(withFile(Promise.resolve(file), async () => 'result', tools)).rejects.toThrow('ENOSPC');
  });

  it.each([
    ['opening it', () => never(), async () => undefined],
    ['using it', (file: RandomAccess) => Promise.resolve(file), never],
    ['closing it', (file: RandomAccess) => Promise.resolve(file), async () => undefined],
  ])('that hangs while %s ends a moment after the abort', async (_what, opening, use) => {
    const { clock, abort, file, tools } = start();
    const used = withFile(opening(file), use, tools);
    expect(await endOf(used)).toBe('open');
    abort.abort(new Error('cancelled'));
    expect(await endOf(used)).toBe('open');
    clock.advance(2_000);
    expect(await endOf(used)).toBe('cancelled');
    expect(clock.timers).toBe(0);
  });

  it('that fails closes the file first, but does not wait for ever', async () => {
    const { clock, file, tools } = start();
    const used = withFile(Promise.resolve(file), () => Promise.reject(new Error('EHOSTDOWN')), tools);
    expect(await endOf(used)).toBe('open');
    expect(file.closes).toBe(1);
    clock.advance(2_000);
    expect(await endOf(used)).toBe('EHOSTDOWN');
  });

  it('that came up after the abort does not begin: the file is closed', async () => {
    const { clock, abort, file, tools } = start();
    const opening = Promise.withResolvers<RandomAccess>();
    let uses = 0;
    const use = async () => {
      uses += 1;
    };
    const used = withFile(opening.promise, use, tools);
    abort.abort(new Error('cancelled'));
    await settle();
    clock.advance(2_000);
    expect(await endOf(used)).toBe('cancelled');
    opening.resolve(file);
    await settle();
    expect([uses, file.closes]).toEqual([0, 1]);
  });
});

it('a moment ends with the work, good or bad, and leaves no timer', async () => {
  const clock = new ManualClock();
  await forAMoment(Promise.resolve(), clock);
  await forAMoment(Promise.reject(new Error('x')), clock);
  expect(clock.timers).toBe(0);
});
