import { describe, expect, it } from '@jest/globals';
import { Requests } from '../../../../src/connector/requests.ts';
import { systemRandom } from '../../../../src/lib/random.ts';
import { IpsError } from '../../../../src/protocol/errors.ts';
import type { ToCloud } from '../../../../src/protocol/link.ts';
import { fakeForks, JOB } from './doubles.ts';
import { Supervised } from './supervised.ts';

const TTL = 30_000;

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
    requests.linkUp(TTL);
    requests.linkUp(TTL);
    expect(sent).toHaveLength(2);
    expect(sent[0]).toEqual(sent[1]);
    expect(sent[0]).toMatchObject({ type: 'commitRequest', ...JOB });
    for (let twice = 0; twice < 2; twice += 1) requests.answered({ type: 'commitAnswer', requestId: idOf(0) });
    requests.linkUp(TTL);
    expect(heard()).toEqual([{ type: 'granted', requestId: '1', leaseTtlMs: TTL }]);
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
    expect(heard()).toMatchObject([
      { type: 'refused', requestId: '1', error: { code: 'CREDENTIAL_NOT_FOUND' } },
      { type: 'refused', requestId: '2', error: { code: 'INTERNAL' } },
    ]);
  });

  it('is answered too when the cloud says by itself that the grant holds', () => {
    const { requests, worker, heard, sent, idOf } = asking();
    requests.linkUp(TTL);
    requests.ask(JOB, worker, { type: 'credentials', requestId: '1', purpose: 'run' });
    requests.ask(JOB, worker, { type: 'commit', requestId: '2' });
    requests.granted({ ...JOB, token: '1.2' });
    expect(heard()).toEqual([]);
    requests.granted(JOB);
    expect(heard()).toEqual([{ type: 'granted', requestId: '2', leaseTtlMs: TTL }]);
    requests.linkUp(TTL);
    expect(sent.map(({ type }) => type)).toEqual(['credentialsRequest', 'commitRequest', 'credentialsRequest']);
    requests.answered({ type: 'commitAnswer', requestId: idOf(1) });
    expect(heard()).toHaveLength(1);
  });

  it('is not asked again when nobody waits for the answer any more', () => {
    const { requests, worker, heard, sent, idOf, setUp } = asking();
    setUp(false);
    requests.ask(JOB, worker, { type: 'commit', requestId: '1' });
    requests.ask(JOB, worker, { type: 'credentials', requestId: '2', purpose: 'teardown' });
    requests.withdraw(worker, '1');
    setUp(true);
    requests.linkUp(TTL);
    expect(sent).toMatchObject([{ type: 'credentialsRequest' }]);
    requests.withdraw(worker, '2');
    requests.answered({ type: 'credentialsAnswer', requestId: idOf(0), envelopes: [] });
    expect(heard()).toEqual([]);
  });

  it('dies with its worker', () => {
    const { requests, worker, heard, sent, idOf } = asking();
    requests.ask(JOB, worker, { type: 'commit', requestId: '1' });
    requests.workerGone(worker);
    requests.linkUp(TTL);
    requests.answered({ type: 'commitAnswer', requestId: idOf(0) });
    expect(sent).toHaveLength(1);
    expect(heard()).toEqual([]);
  });

  it('that was withdrawn while the cloud was away is not asked when it is back', async () => {
    const daemon = new Supervised();
    daemon.supervisor.start();
    daemon.connect();
    await daemon.give();
    daemon.cut();
    daemon.forks.last().says({ type: 'commit', requestId: '1' });
    daemon.forks.last().says({ type: 'withdrawn', requestId: '1' });
    daemon.connect();
    expect(daemon.sentOf('commitRequest')).toEqual([]);
    daemon.world.remove();
  });
});
