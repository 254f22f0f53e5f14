import { afterEach, describe, expect, it } from '@jest/globals';
import { makeCertificate } from '../../harness/certificates.ts';
import { type CloudDouble, cloudDouble, json } from './double.ts';
import { frame, jobView, logEvent } from './job-view.ts';

const never = new AbortController().signal;

describe('following a job', () => {
  let cloud: CloudDouble;
  afterEach(async () => cloud.close());

  async function follow(): Promise<number[]> {
    const ids: number[] = [];
    for await (const news of cloud.client.follow('job-a', never)) if (news.kind === 'event') ids.push(news.event.id);
    return ids;
  }
  const lastEventIds = () =>
    cloud.requests.filter(({ url }) => url?.includes('/events')).map(({ headers }) => headers['last-event-id']);

  it('goes on behind the last event after the connection broke, each event once', async () => {
    let streams = 0;
    cloud = await cloudDouble((request, response) => {
      if (!request.url?.includes('/events')) return json(response, 200, jobView('complete'));
      streams += 1;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (streams === 3) {
        response.end(frame(logEvent(4)));
        return;
      }
      const from = streams === 1 ? 1 : 3;
      // The half event behind it must come again in the next stream.
      response.write(`${frame(logEvent(from))}${streams === 1 ? frame(logEvent(2)) : ''}id: ${from + 2}\ndata: {`, () =>
        response.destroy(),
      );
    });
    expect(await follow()).toEqual([1, 2, 3, 4]);
    expect(lastEventIds()).toEqual(['0', '2', '3']);
    expect(cloud.pauses).toHaveLength(2);
  });

  it('waits before it tries again when the cloud ends the stream of a job that goes on', async () => {
    let looks = 0;
    cloud = await cloudDouble((request, response) => {
      if (request.url?.includes('/events')) {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).end(': hello\n\n');
        return;
      }
      looks += 1;
      json(response, 200, jobView(looks < 4 ? 'inProgress' : 'failed'));
    });
    expect(await follow()).toEqual([]);
    expect(cloud.pauses).toHaveLength(3);
    expect(Math.min(...cloud.pauses)).toBeGreaterThan(0);
    expect(cloud.pauses[2]).toBeGreaterThan(cloud.pauses[0] ?? 0);
  });

  it('goes on when the cloud has renewed its certificate under the same key, and not under another', async () => {
    let streams = 0;
    cloud = await cloudDouble((request, response) => {
      if (!request.url?.includes('/events')) return json(response, 200, jobView(streams < 2 ? 'inProgress' : 'failed'));
      streams += 1;
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(frame(logEvent(streams)));
    });
    const news = cloud.client.follow('job-a', never);
    expect((await news.next()).value).toMatchObject({ event: { id: 1 } });
    cloud.use(await makeCertificate({ like: cloud.certificate, name: 'renewed' }));
    expect((await news.next()).value).toMatchObject({ event: { id: 2 } });
    expect((await news.next()).done).toBe(true);
    cloud.use(await makeCertificate());
    await expect(cloud.client.job('job-a')).rejects.toMatchObject({ code: 'CLOUD_PIN_MISMATCH' });
  });

  it('takes a gateway that answers for the cloud as a cloud that is away', async () => {
    let tries = 0;
    cloud = await cloudDouble((request, response) => {
      tries += 1;
      if (tries <= 2) response.writeHead(502).end('<html>Bad gateway</html>');
      else if (request.url?.includes('/events')) response.writeHead(200).end(frame(logEvent(1)));
      else json(response, 200, jobView('complete'));
    });
    expect(await follow()).toEqual([1]);
    expect(cloud.pauses).toHaveLength(2);
  });

  it('ends at once when the cloud refuses', async () => {
    cloud = await cloudDouble((_, response) =>
      json(response, 401, { type: 'x', title: 'no', status: 401, code: 'UNAUTHENTICATED', hint: 'log in' }),
    );
    await expect(follow()).rejects.toMatchObject({ code: 'UNAUTHENTICATED', hint: 'log in' });
    expect(cloud.pauses).toEqual([]);
  });

  it('ends with its reason when it is interrupted', async () => {
    const interruption = new AbortController();
    cloud = await cloudDouble((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(frame(logEvent(1)));
    });
    const run = async () => {
      for await (const news of cloud.client.follow('job-a', interruption.signal))
        if (news.kind === 'event') interruption.abort(new Error('enough'));
    };
    await expect(run()).rejects.toThrow('enough');
  });
});
