import { describe, expect, it } from '@jest/globals';
import { Requests } from '../../../../src/connector/requests.ts';
import { systemRandom } from '../../../../src/lib/random.ts';
import { IpsError } from '../../../../src/protocol/errors.ts';
import type { ToCloud } from '../../../../src/protocol/link.ts';
import { fakeForks, JOB } from './doubles.ts';

function asking() {
  const sent: ToCloud[] = [];
  let isUp = true;
  const requests = new Requests((message) => {
    if (isUp) sent.push(message);
    return isUp;
  }, systemRandom());
  const forks = fakeForks();
  const worker = forks.fork(JOB, 'run', { onMessage: () => undefined, onExit: () => undefined });
  return {
    requests,
    worker,
    heard: () => forks.last().heard,
    sent,
    idOf: (index: number) => {
      const message = sent[index];
      return message && 'requestId' in message ? message.requestId : '';
    },
    setUp: (up: boolean) => {
      isUp = up;
    },
  };
}

describe("a worker's question to the cloud", () => {
  it('is sent again after each reconnect until it is answered, and answered once', () => {
    const { requests, worker, heard, sent, idOf, setUp } = asking();
    setUp(false);
    requests.ask(JOB, worker, { type: 'commit', requestId: '1' });
    setUp(true);
    requests.linkUp();
    requests.linkUp();
    expect(sent).toHaveLength(2);
    expect(sent[0]).toEqual(sent[1]);
    expect(sent[0]).toMatchObject({ type: 'commitRequest', ...JOB });
    for (let twice = 0; twice < 2; twice += 1) requests.answered({ type: 'commitAnswer', requestId: idOf(0) });
    requests.linkUp();
    expect(heard()).toEqual([{ type: 'commitAnswer', requestId: '1' }]);
    expect(sent).toHaveLength(2);
  });

  it('and the same number of another worker are two questions', () => {
    const { requests, worker, sent, idOf } = asking();
    const other = { send: () => undefined, kill: () => undefined };
    requests.ask(JOB, worker, { type: 'credentials', requestId: '1', purpose: 'run' });
    requests.ask({ ...JOB, jobId: 'job-2' }, other, { type: 'credentials', requestId: '1', purpose: 'teardown' });
    expect(sent).toMatchObject([
      { type: 'credentialsRequest', jobId: 'job-1', purpose: 'run' },
      { type: 'credentialsRequest', jobId: 'job-2', purpose: 'teardown' },
    ]);
    expect(idOf(0)).not.toBe(idOf(1));
  });

  it('gets a refusal as it is, and an unknown code as INTERNAL', () => {
    const { requests, worker, heard, idOf } = asking();
    requests.ask(JOB, worker, { type: 'credentials', requestId: '1', purpose: 'run' });
    requests.ask(JOB, worker, { type: 'credentials', requestId: '2', purpose: 'run' });
    const error = new IpsError('CREDENTIAL_NOT_FOUND').report();
    requests.answered({ type: 'credentialsAnswer', requestId: idOf(0), error });
    requests.answered({ type: 'credentialsAnswer', requestId: idOf(1), error: { ...error, code: 'FROM_THE_FUTURE' } });
    expect(heard()).toMatchObject([{ error: { code: 'CREDENTIAL_NOT_FOUND' } }, { error: { code: 'INTERNAL' } }]);
  });

  it('dies with its worker', () => {
    const { requests, worker, heard, sent, idOf } = asking();
    requests.ask(JOB, worker, { type: 'commit', requestId: '1' });
    requests.workerGone(worker);
    requests.linkUp();
    requests.answered({ type: 'commitAnswer', requestId: idOf(0) });
    expect(sent).toHaveLength(1);
    expect(heard()).toEqual([]);
  });
});
