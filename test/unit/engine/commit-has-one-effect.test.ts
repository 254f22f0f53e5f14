/** However often a commit is asked for, at once or one after the other, there is one rename that counts. */
import { expect, it } from '@jest/globals';
import { TaskRunner } from '../../../src/engine/task-runner.ts';
import type { EngineEventBody } from '../../../src/protocol/engine.ts';
import { IpsError } from '../../../src/protocol/errors.ts';
import { ScriptedTask, settle, VERIFIED } from './scripted-task.ts';

async function verified() {
  const task = new ScriptedTask();
  const events: EngineEventBody[] = [];
  const runner = new TaskRunner(task, (event) => events.push(event));
  task.verified.resolve(VERIFIED);
  await settle();
  return { task, runner, kinds: () => events.map(({ kind }) => kind) };
}

it('is refused before the task is verified', async () => {
  const task = new ScriptedTask();
  const runner = new TaskRunner(task, () => undefined);
  await expect(runner.commit()).rejects.toMatchObject({ code: 'ENGINE_REFUSED' });
  expect(task.calls).toEqual(['run']);
});

it('happens once for calls at the same time and later', async () => {
  const { task, runner, kinds } = await verified();
  await Promise.all([runner.commit(), runner.commit()]);
  await runner.commit();
  expect([task.calls, kinds()]).toEqual([
    ['run', 'commit'],
    ['verified', 'committed'],
  ]);
});

it('is refused for good when the target exists, and leaves ours until the holder has said that it knows', async () => {
  const { task, runner, kinds } = await verified();
  task.commitWork = async () => {
    throw new IpsError('TARGET_EXISTS');
  };
  await expect(runner.commit()).rejects.toMatchObject({ code: 'TARGET_EXISTS' });
  await expect(runner.commit()).rejects.toMatchObject({ code: 'TARGET_EXISTS' });
  await settle();
  expect([task.calls, kinds()]).toEqual([['run', 'commit'], ['verified']]);
  runner.cancel();
  await settle();
  expect([task.calls, kinds()]).toEqual([
    ['run', 'commit', 'discard'],
    ['verified', 'failed'],
  ]);
  await expect(runner.commit()).rejects.toMatchObject({ code: 'TARGET_EXISTS' });
});

const FAILURES = ['TARGET_EXISTS', 'SMB_UNREACHABLE'] as const;

it.each(FAILURES)('finish takes away what was not committed, and keeps what was (%s)', async (code) => {
  const open = await verified();
  await open.runner.finish();
  expect(open.task.calls).toEqual(['run', 'discard']);
  const done = await verified();
  await done.runner.commit();
  await done.runner.finish();
  expect(done.task.calls).toEqual(['run', 'commit']);
  const failed = await verified();
  failed.task.commitWork = async () => {
    throw new IpsError(code);
  };
  await expect(failed.runner.commit()).rejects.toBeInstanceOf(IpsError);
  await failed.runner.finish();
  expect(failed.task.calls).toEqual(['run', 'commit', 'discard']);
});

it.each(FAILURES)('the deadline takes away what is not verified, and nothing after that (%s)', async (code) => {
  const running = new ScriptedTask();
  await new TaskRunner(running, () => undefined).expire();
  expect(running.calls).toEqual(['run', 'discard']);
  const open = await verified();
  await open.runner.expire();
  expect(open.task.calls).toEqual(['run']);
  const failed = await verified();
  failed.task.commitWork = async () => {
    throw new IpsError(code);
  };
  await expect(failed.runner.commit()).rejects.toBeInstanceOf(IpsError);
  await failed.runner.expire();
  expect(failed.task.calls).toEqual(['run', 'commit']);
});

it.each(['finish', 'expire'] as const)('%s waits for a commit that is under way', async (how) => {
  const { task, runner } = await verified();
  const renamed = Promise.withResolvers<void>();
  task.commitWork = () => renamed.promise;
  const commit = runner.commit();
  let over = false;
  const end = runner[how]().then(() => {
    over = true;
  });
  await settle();
  expect(over).toBe(false);
  renamed.resolve();
  await Promise.all([commit, end]);
  expect(task.calls).toEqual(['run', 'commit']);
});
