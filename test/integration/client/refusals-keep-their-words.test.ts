import { afterEach, describe, expect, it } from '@jest/globals';
import { type CloudDouble, cloudDouble, json } from './double.ts';

describe('an answer that is no success', () => {
  let cloud: CloudDouble;
  afterEach(async () => cloud.close());

  it('is the error that the cloud told, with its particulars and remedy', async () => {
    const problem = {
      type: 'x',
      title: 'busy',
      status: 409,
      detail: 'Job job-b writes there.',
      code: 'TARGET_BUSY',
      hint: 'Wait.',
    };
    cloud = await cloudDouble((_, response) => json(response, 409, problem));
    await expect(cloud.client.status()).rejects.toMatchObject({
      code: 'TARGET_BUSY',
      message: 'Job job-b writes there.',
      hint: 'Wait.',
    });
  });

  it.each([
    ['a page of something else', 200, '<html>Welcome</html>'],
    ['JSON of another shape', 200, '{"version": 1}'],
    ['a code that nobody knows', 409, '{"type":"x","title":"x","status":409,"code":"ODD","hint":"x"}'],
    ['nothing at all', 500, ''],
  ])('is no cloud service when it is %s', async (_, status, body) => {
    cloud = await cloudDouble((_request, response) => {
      response.writeHead(status).end(body);
    });
    await expect(cloud.client.status()).rejects.toMatchObject({ code: 'CLOUD_UNREACHABLE' });
  });

  it('does not come from a cloud with another key: that one gets no request and no token', async () => {
    cloud = await cloudDouble((_, response) => json(response, 200, {}), { pin: `sha256/${'A'.repeat(43)}=` });
    await expect(cloud.client.status()).rejects.toMatchObject({ code: 'CLOUD_PIN_MISMATCH' });
    expect(cloud.requests).toEqual([]);
  });
});
