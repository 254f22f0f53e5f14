import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Context } from '../../../src/cli/context.ts';
import { exitCodeOfError } from '../../../src/cli/exit-codes.ts';
import { startJob } from '../../../src/cli/start.ts';
import { systemRandom } from '../../../src/lib/random.ts';
import { IpsError, toIpsError } from '../../../src/protocol/errors.ts';
import type { JobView } from '../../../src/protocol/rest.ts';
import { fakeScreen } from '../../unit/cli/screen.ts';
import { type CloudDouble, cloudDouble, json } from '../client/double.ts';
import { jobView } from '../client/job-view.ts';

describe('starting a job', () => {
  let cloud: CloudDouble;
  let interruption: AbortController;
  const err = fakeScreen();
  beforeEach(() => {
    interruption = new AbortController();
    err.text = '';
  });
  afterEach(async () => cloud.close());

  const { parameters } = jobView('queued');
  async function start(key?: string): Promise<JobView> {
    const context = { err, random: systemRandom(), interrupted: interruption.signal } as unknown as Context;
    return await startJob(context, cloud.client, { resourceLocation: 'london', parameters }, key);
  }
  async function failure(key?: string): Promise<IpsError> {
    return await start(key).then(
      () => Promise.reject(new Error('it started')),
      (error) => toIpsError(error),
    );
  }
  const keys = () => cloud.requests.map(({ headers }) => headers['idempotency-key']);

  it('whose answer was lost is repeated with the same key, and said', async () => {
    let tries = 0;
    cloud = await cloudDouble((_, response) => {
      tries += 1;
      if (tries < 3) response.destroy();
      else json(response, 202, jobView('queued'));
    });
    expect(await start()).toMatchObject({ id: 'job-a' });
    expect(keys()).toHaveLength(3);
    expect(new Set(keys()).size).toBe(1);
    expect(cloud.pauses).toHaveLength(2);
    expect(cloud.pauses[1]).toBeGreaterThan(cloud.pauses[0] ?? 0);
    expect(err.text.trimEnd().split('\n')).toHaveLength(2);
    expect(err.text).toContain('asked again with the same key');
  });

  it('that never has an answer is given up, with the key to repeat it by', async () => {
    cloud = await cloudDouble((_, response) => {
      response.destroy();
    });
    const { code, hint } = await failure();
    expect(code).toBe('CLOUD_UNREACHABLE');
    expect(keys()).toHaveLength(5);
    expect(hint).toContain(`run the same command with --idempotency-key ${keys()[0]}.`);
  });

  it('that is interrupted before the answer gives the key too', async () => {
    cloud = await cloudDouble(() => interruption.abort(new IpsError('INTERRUPTED')));
    const error = await failure('my-key');
    expect(exitCodeOfError(error)).toBe(130);
    expect(error.hint).toContain('--idempotency-key my-key.');
    expect(keys()).toEqual(['my-key']);
  });

  it('that the cloud service refuses is neither repeated nor worth a key', async () => {
    const problem = { type: 'x', title: 'busy', status: 409, code: 'TARGET_BUSY', hint: 'Wait.' };
    cloud = await cloudDouble((_, response) => json(response, 409, problem));
    expect(await failure()).toMatchObject({ code: 'TARGET_BUSY', hint: 'Wait.' });
    expect(keys()).toHaveLength(1);
    expect(err.text).toBe('');
  });
});
