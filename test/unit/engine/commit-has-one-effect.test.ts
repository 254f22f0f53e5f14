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

it('is over when the target exists: ours is removed, and the next call is told the same', async () => {
  const { task, runner, kinds } = await verified();
  task.commitWork = async () => {
    throw new IpsError('TARGET_EXISTS');
  };
  await expect(runner.commit()).rejects.toMatchObject({ code: 'TARGET_EXISTS' });
  await expect(runner.commit()).rejects.toMatchObject({ code: 'TARGET_EXISTS' });
  expect([task.calls, kinds()]).toEqual([
    ['run', 'commit', 'discard'],
    ['verified', 'failed'],
  ]);
});

it('stop takes away what was not committed, and keeps what was', async () => {
  const open = await verified();
  await open.runner.stop();
  expect(open.task.calls).toEqual(['run', 'discard']);
  const done = await verified();
  await done.runner.commit();
  await done.runner.stop();
  expect(done.task.calls).toEqual(['run', 'commit']);
  const unknown = await verified();
  unknown.task.commitWork = async () => {
    throw new IpsError('SMB_UNREACHABLE');
  };
  await expect(unknown.runner.commit()).rejects.toBeInstanceOf(IpsError);
  await unknown.runner.stop();
  expect(unknown.task.calls).toEqual(['run', 'commit', 'discard']);
});

it('stop waits for a commit that is under way', async () => {
  const { task, runner } = await verified();
  const renamed = Promise.withResolvers<void>();
  task.commitWork = () => renamed.promise;
  const commit = runner.commit();
  let stopped = false;
  const stop = runner.stop().then(() => {
    stopped = true;
  });
  await settle();
  expect(stopped).toBe(false);
  renamed.resolve();
  await Promise.all([commit, stop]);
  expect(task.calls).toEqual(['run', 'commit']);
});
