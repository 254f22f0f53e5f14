/** Cancel ends a task in any state before the commit was asked for, and in none after. */
import { expect, it } from '@jest/globals';
import { TaskRunner } from '../../../src/engine/task-runner.ts';
import type { EngineEventBody } from '../../../src/protocol/engine.ts';
import { IpsError } from '../../../src/protocol/errors.ts';
import { ScriptedTask, settle, VERIFIED } from './scripted-task.ts';

function start() {
  const task = new ScriptedTask();
  const events: EngineEventBody[] = [];
  const runner = new TaskRunner(task, (event) => events.push(event));
  return { task, runner, kinds: () => events.map(({ kind }) => kind), events };
}

it('cancels a running task, and tells so when nothing is left', async () => {
  const { task, runner, kinds } = start();
  const discarded = Promise.withResolvers<void>();
  task.discardWork = () => discarded.promise;
  runner.cancel();
  await settle();
  expect([task.calls, kinds()]).toEqual([['run', 'discard'], []]);
  runner.cancel();
  discarded.resolve();
  await settle();
  expect([task.calls, kinds()]).toEqual([['run', 'discard'], ['cancelled']]);
  await expect(runner.commit()).rejects.toMatchObject({ code: 'JOB_CANCELLED' });
});

it('cancels a verified task', async () => {
  const { task, runner, kinds } = start();
  task.verified.resolve(VERIFIED);
  await settle();
  runner.cancel();
  await expect(runner.commit()).rejects.toMatchObject({ code: 'JOB_CANCELLED' });
  await settle();
  expect([task.calls, kinds()]).toEqual([
    ['run', 'discard'],
    ['verified', 'cancelled'],
  ]);
});

it('is refused while the commit runs, after it, and when its outcome is not known', async () => {
  const { task, runner, kinds } = start();
  task.verified.resolve(VERIFIED);
  await settle();
  const renamed = Promise.withResolvers<void>();
  task.commitWork = () => renamed.promise;
  const commit = runner.commit();
  expect(() => runner.cancel()).toThrow(expect.objectContaining({ code: 'JOB_COMMITTING' }));
  renamed.reject(new IpsError('SMB_UNREACHABLE'));
  await expect(commit).rejects.toMatchObject({ code: 'SMB_UNREACHABLE' });
  expect(() => runner.cancel()).toThrow(expect.objectContaining({ code: 'JOB_COMMITTING' }));
  task.commitWork = async () => undefined;
  await runner.commit();
  expect(() => runner.cancel()).toThrow(expect.objectContaining({ code: 'JOB_OVER' }));
  expect([task.calls, kinds()]).toEqual([
    ['run', 'commit', 'commit'],
    ['verified', 'committed'],
  ]);
});

it('leaves a failed task failed', async () => {
  const { task, runner, kinds } = start();
  task.verified.reject(new IpsError('SHARE_FULL'));
  await settle();
  runner.cancel();
  await expect(runner.commit()).rejects.toMatchObject({ code: 'SHARE_FULL' });
  expect([task.calls, kinds()]).toEqual([['run', 'discard'], ['failed']]);
});

it('says when the partial file could not be removed', async () => {
  const { task, runner, events } = start();
  task.discardWork = async () => {
    throw new IpsError('SMB_UNREACHABLE');
  };
  runner.cancel();
  await settle();
  expect(events).toMatchObject([{ kind: 'log', level: 'warn' }, { kind: 'cancelled' }]);
});
