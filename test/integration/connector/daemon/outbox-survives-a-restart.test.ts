import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { makeCertificate } from '../../../harness/certificates.ts';
import { JOB, LIMITS, PARAMETERS } from '../../../unit/connector/daemon/doubles.ts';
import { Appliance } from './appliance.ts';
import { FakeCloud } from './fake-cloud.ts';

describe('events that the cloud has not stored', () => {
  let cloud: FakeCloud;
  let appliance: Appliance;
  beforeEach(async () => {
    const certificate = await makeCertificate();
    cloud = await FakeCloud.start(certificate);
    appliance = new Appliance();
    await appliance.pairWith(cloud.url, { kind: 'pins', pins: [certificate.pin] });
  });
  afterEach(async () => {
    await appliance.remove();
    await cloud.stop();
  });

  it('are sent again by the next process, and no more once they are stored', async () => {
    void appliance.start();
    const first = await cloud.peer();
    await first.welcomes({ generation: 2 });
    first.says({ type: 'offer', ...JOB, parameters: PARAMETERS, limits: LIMITS });
    while (appliance.forks.workers.length === 0) await new Promise((turn) => setImmediate(turn));
    appliance.forks.last().says({ type: 'claimed' });
    appliance.forks.last().exits();
    expect(await first.next('offerAnswer')).toMatchObject({ ...JOB, accepted: true });
    const { events } = await first.next('events');
    expect(events).toMatchObject([{ ...JOB, seq: 1, body: { kind: 'accepted', connectorId: 'con-1' } }]);
    await appliance.stop();

    void appliance.start();
    const second = await cloud.peer();
    expect((await second.next('hello')).jobs).toEqual([{ ...JOB, state: 'running' }]);
    await second.welcomes({ generation: 3 });
    expect((await second.next('events')).events).toEqual(events);
    second.says({ type: 'eventsStored', upTo: [{ ...JOB, seq: 1 }] });
    while ((await appliance.withJournal((journal) => journal.outbox(10))).length > 0)
      await new Promise((turn) => setImmediate(turn));
    second.cut();
    const third = await cloud.peer();
    await third.welcomes({ generation: 4 });
    await appliance.stop();
    expect(third.heard.filter(({ type }) => type === 'events')).toEqual([]);
    expect(await appliance.withJournal((journal) => journal.outbox(10))).toEqual([]);
    expect(appliance.forks.workers.map(({ mode }) => mode)).toEqual(['claim', 'run', 'run']);
  });
});
