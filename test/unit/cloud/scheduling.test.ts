import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { IpsError } from '../../../src/protocol/errors.ts';
import { Bench, job, TERMS } from './bench.ts';
import { FakeConnector } from './fake-connector.ts';

describe('the scheduler', () => {
  let bench: Bench;
  let site: Awaited<ReturnType<Bench['site']>>;
  const reason = new IpsError('SOURCE_NOT_HERE').report();
  const decline = (connector: FakeConnector) =>
    connector.say({ type: 'offerAnswer', ...connector.offer(), accepted: false, reason });

  beforeEach(async () => {
    bench = await Bench.start();
    site = await bench.site();
  });
  afterEach(() => bench.stop());

  it('says who is missing while a job waits', async () => {
    const { body } = await bench.createJob(site.operator);
    const why = async () => (await bench.job(site.viewer, body.id)).waitingFor;
    expect(await why()).toContain('has no connector yet');
    const connector = await FakeConnector.pair(bench, site.admin, 'one');
    expect(await why()).toBe('Not connected: "one".');
    await connector.connect({ platforms: ['vsphere'] });
    expect(await why()).toContain('has the platform qemu');
    await connector.connect({ slots: 0 });
    expect(await why()).toBe('A free slot on connector "one".');
    await connector.disconnect();
    expect(await why()).toBe('Not connected: "one".');
    await connector.connect();
    expect(await why()).toContain('its answer is awaited');
  });

  it('gives no connector more jobs than it has slots, nor those of another location', async () => {
    await bench.call(site.operator, 'POST', '/v1/resource-locations', { name: 'far' });
    const far = await FakeConnector.pair(bench, site.admin, 'far', 'far');
    await far.connect();
    const one = await FakeConnector.pair(bench, site.admin, 'one');
    await one.connect({ slots: 1 });
    const first = await bench.createJob(site.operator, {}, 'a');
    const second = await bench.createJob(site.operator, {}, 'b');
    const held = await one.accept();
    expect(held.jobId).toBe(first.body.id);
    expect(one.inbox.filter(({ type }) => type === 'offer')).toHaveLength(1);
    await one.end(held, 'failed');
    expect(one.offer().jobId).toBe(second.body.id);
    expect(far.last('offer')).toBeUndefined();
  });

  it('asks the next one when one declines, and fails the job when all that could have declined', async () => {
    const one = await FakeConnector.pair(bench, site.admin, 'one');
    const two = await FakeConnector.pair(bench, site.admin, 'two');
    await one.connect();
    await two.connect();
    await two.disconnect();
    const { body } = await bench.createJob(site.operator);
    await decline(one);
    expect(await bench.job(site.viewer, body.id)).toMatchObject({
      state: 'queued',
      waitingFor: 'Not connected: "two".',
    });
    await two.connect();
    await decline(two);
    const ended = await bench.job(site.viewer, body.id);
    expect(ended).toMatchObject({ state: 'failed', error: { code: 'SOURCE_NOT_HERE' } });
  });

  it('does not wait for a declining connector that was declared lost', async () => {
    const one = await FakeConnector.pair(bench, site.admin, 'one');
    const two = await FakeConnector.pair(bench, site.admin, 'two');
    await two.connect();
    await two.disconnect();
    await bench.call(site.operator, 'POST', '/v1/connectors/two/lost', {});
    await one.connect();
    const { body } = await bench.createJob(site.operator);
    await decline(one);
    expect((await bench.job(site.viewer, body.id)).state).toBe('failed');
  });

  it('takes an unanswered offer to another connector, under a new token', async () => {
    const one = await FakeConnector.pair(bench, site.admin, 'one');
    const two = await FakeConnector.pair(bench, site.admin, 'two');
    await one.connect();
    await two.connect();
    await bench.createJob(site.operator);
    const late = one.offer();
    await bench.advance(TERMS.offerTimeoutMs);
    expect(two.offer()).toEqual({ jobId: late.jobId, token: '1.2' });
    await one.say({ type: 'offerAnswer', ...late, accepted: true });
    expect(one.last('settle')).toEqual({ type: 'settle', ...late, action: 'stop' });
    await two.accept();
    expect((await bench.job(site.viewer, late.jobId)).connector).toBe('two');
  });

  it('takes an answer that comes after the offer was withdrawn, when nobody else was asked', async () => {
    const one = await FakeConnector.pair(bench, site.admin, 'one');
    await one.connect({ slots: 1 });
    await bench.createJob(site.operator);
    const late = one.offer();
    const busy = await bench.createJob(site.operator, {}, 'busy');
    await bench.advance(TERMS.offerTimeoutMs);
    // Meanwhile its only slot went to the other job, so the first one waits.
    const held = one.offer().jobId === busy.body.id ? late : one.offer();
    await one.say({ type: 'offerAnswer', ...held, accepted: true });
    expect(await bench.job(site.viewer, held.jobId)).toMatchObject({ state: 'inProgress', token: held.token });
  });

  it('goes on with the others when one job cannot be scheduled', async () => {
    const broken = await bench.createJob(site.operator, {}, 'broken');
    const { jobs } = bench.tools.store;
    const declines = jobs.declines.bind(jobs);
    jest.spyOn(jobs, 'declines').mockImplementation(async (id) => {
      if (id === broken.body.id) throw new Error('a broken row');
      return await declines(id);
    });
    const other = await bench.site('other');
    const one = await FakeConnector.pair(bench, other.admin, 'one');
    await one.connect();
    const { body } = await bench.createJob(other.operator);
    expect(one.offer().jobId).toBe(body.id);
  });

  it('does not end a running job because the wall clock jumped', async () => {
    const one = await FakeConnector.pair(bench, site.admin, 'one');
    await one.connect();
    await bench.createJob(site.operator, { limits: { timeoutSeconds: 3_600 } });
    const held = await one.accept();
    await bench.advance(1_000);
    bench.clock.setWallAhead(2 * 86_400_000);
    await one.disconnect();
    await bench.advance(TERMS.ttlMs + TERMS.graceMs + 1);
    expect((await bench.job(site.viewer, held.jobId)).state).toBe('inProgress');
    await bench.advance(6 * 3_600_000);
    expect(await bench.job(site.viewer, held.jobId)).toMatchObject({ error: { code: 'JOB_TIMEOUT' } });
  });

  it('fails a job that nobody took within its queue timeout', async () => {
    const { body } = await bench.createJob(site.operator, { limits: { queueTimeoutSeconds: 60 } });
    await bench.advance(59_000);
    expect((await bench.job(site.viewer, body.id)).state).toBe('queued');
    await bench.advance(1_000);
    expect(await bench.job(site.viewer, body.id)).toMatchObject({ state: 'failed', error: { code: 'NO_CONNECTOR' } });
  });

  it('refuses a second live job with the same target, naming the first', async () => {
    const first = await bench.createJob(site.operator);
    const second = await bench.createJob(site.operator);
    expect(second).toMatchObject({ status: 409, body: { code: 'TARGET_BUSY', jobId: first.body.id } });
    expect((await bench.createJob(site.operator, {}, 'master', true)).status).toBe(202);
    await bench.call(site.operator, 'POST', `/v1/jobs/${first.body.id}/cancel`);
    expect((await bench.createJob(site.operator)).status).toBe(202);
    const again = job('MASTER');
    expect((await bench.call(site.operator, 'POST', '/v1/jobs', again)).status).toBe(409);
    for (const spelling of ['smb://FILES.example:445/images/', 'smb://files.example/im%61ges']) {
      again.parameters.target.location = spelling;
      expect((await bench.call(site.operator, 'POST', '/v1/jobs', again)).status).toBe(409);
    }
    again.parameters.target.location = 'smb://files.example/images/Ärger';
    expect((await bench.call(site.operator, 'POST', '/v1/jobs', again)).status).toBe(202);
    again.parameters.target.location = 'smb://files.example/images/ä%52ger';
    expect((await bench.call(site.operator, 'POST', '/v1/jobs', again)).status).toBe(409);
  });
});
