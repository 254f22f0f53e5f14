/** The API without a network: which request gets which answer, and that failures are reports without what was sent. */
import { expect, it } from '@jest/globals';
import type { Agent } from '../../../src/engine/agent.ts';
import { route } from '../../../src/engine/router.ts';
import { BOOT_IDENTITY, SESSION_IDENTITY } from '../../../src/protocol/engine.ts';
import { EXPORT, scriptedAgent, settle, VERIFIED } from './scripted-task.ts';

const SESSION_KEY = '22'.repeat(32);

async function ask(agent: Agent, method: string, url: string, body?: unknown, identity: string = SESSION_IDENTITY) {
  const answer = await route(agent, { method, url, identity, readJson: async () => body });
  if (answer.kind === 'events') return [200, `after ${answer.after}`];
  return [answer.status, 'code' in answer.body ? answer.body.code : answer.body];
}

function inSession() {
  const parts = scriptedAgent();
  parts.agent.openSession({ sessionKey: SESSION_KEY });
  return parts;
}

it('opens only the session path to the boot key, and nothing to nobody', async () => {
  const { agent } = scriptedAgent();
  expect(await ask(agent, 'PUT', '/v1/task', EXPORT, BOOT_IDENTITY)).toEqual([401, 'UNAUTHENTICATED']);
  expect(await ask(agent, 'GET', '/v1/events', undefined, BOOT_IDENTITY)).toEqual([401, 'UNAUTHENTICATED']);
  expect(await ask(agent, 'PUT', '/v1/session', { sessionKey: SESSION_KEY }, 'nobody')).toEqual([
    401,
    'UNAUTHENTICATED',
  ]);
  const answer = { bootId: 'boot-1', engineVersion: '1' };
  expect(await ask(agent, 'PUT', '/v1/session', { sessionKey: SESSION_KEY }, BOOT_IDENTITY)).toEqual([200, answer]);
  expect(await ask(agent, 'PUT', '/v1/session', { sessionKey: SESSION_KEY }, BOOT_IDENTITY)).toEqual([
    401,
    'UNAUTHENTICATED',
  ]);
  expect(await ask(agent, 'PUT', '/v1/session', { sessionKey: SESSION_KEY })).toEqual([200, answer]);
  expect(await ask(agent, 'PUT', '/v1/session', { sessionKey: '33'.repeat(32) })).toEqual([409, 'ENGINE_REFUSED']);
});

it('takes one task, the same one again, and no other', async () => {
  const { agent, task } = inSession();
  expect(await ask(agent, 'POST', '/v1/cancel')).toEqual([409, 'ENGINE_REFUSED']);
  expect(await ask(agent, 'PUT', '/v1/task', { ...EXPORT, token: '1.2' })).toEqual([409, 'ENGINE_REFUSED']);
  expect(await ask(agent, 'PUT', '/v1/task', EXPORT)).toEqual([202, {}]);
  expect(await ask(agent, 'PUT', '/v1/task', EXPORT)).toEqual([200, {}]);
  const other = { ...EXPORT, target: { ...EXPORT.target, partialName: '.other.partial' } };
  expect(await ask(agent, 'PUT', '/v1/task', other)).toEqual([409, 'ENGINE_REFUSED']);
  expect(task.calls).toEqual(['run']);
});

it('commits for its own token only', async () => {
  const { agent, task } = inSession();
  agent.startTask(EXPORT);
  task.verified.resolve(VERIFIED);
  await settle();
  expect(await ask(agent, 'POST', '/v1/commit', { token: '1.2' })).toEqual([409, 'ENGINE_REFUSED']);
  expect(await ask(agent, 'POST', '/v1/commit', { token: '1.1' })).toEqual([200, { committed: true }]);
  expect(await ask(agent, 'POST', '/v1/commit', { token: '1.1' })).toEqual([200, { committed: true }]);
  expect(await ask(agent, 'POST', '/v1/cancel')).toEqual([409, 'JOB_OVER']);
  expect(task.calls).toEqual(['run', 'commit']);
});

it('ends a running task before finish is answered', async () => {
  const { agent, task } = inSession();
  agent.startTask(EXPORT);
  expect(await ask(agent, 'POST', '/v1/finish', {})).toEqual([200, {}]);
  expect(task.calls).toEqual(['run', 'discard']);
});

it('refuses what does not fit, naming the field and not what it holds', async () => {
  const { agent } = inSession();
  const answer = await route(agent, {
    method: 'PUT',
    url: '/v1/task',
    identity: SESSION_IDENTITY,
    readJson: async () => ({
      ...EXPORT,
      target: { ...EXPORT.target, share: { ...EXPORT.target.share, port: 'hunter2' } },
    }),
  });
  expect(answer).toMatchObject({
    status: 400,
    body: { code: 'REQUEST_INVALID', message: expect.stringContaining('target.share.port') },
  });
  expect(JSON.stringify(answer)).not.toContain('hunter2');
  expect(await ask(agent, 'PUT', '/v1/deadline', { seconds: 0 })).toEqual([400, 'REQUEST_INVALID']);
  expect(await ask(agent, 'PUT', '/v1/deadline', { seconds: 30 })).toEqual([200, {}]);
});

it('knows its paths, and where a reader of events goes on', async () => {
  const { agent } = inSession();
  expect(await ask(agent, 'GET', '/v1/events?after=7')).toEqual([200, 'after 7']);
  expect(await ask(agent, 'GET', '/v1/events')).toEqual([200, 'after 0']);
  expect(await ask(agent, 'GET', '/v1/events?after=-1')).toEqual([400, 'REQUEST_INVALID']);
  expect(await ask(agent, 'GET', '/v1/status')).toEqual([200, { bootId: 'boot-1', engineVersion: '1' }]);
  expect(await ask(agent, 'GET', '/v1/task')).toEqual([404, 'NOT_FOUND']);
  expect(await ask(agent, 'GET', '/')).toEqual([404, 'NOT_FOUND']);
});
