import { afterEach, describe, expect, it } from '@jest/globals';
import type { Context } from '../../../src/cli/context.ts';
import { Deployments } from '../../../src/cli/deployments.ts';
import { followToEnd } from '../../../src/cli/follow.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { Files } from '../../../src/lib/files.ts';
import { systemRandom } from '../../../src/lib/random.ts';
import { IpsError } from '../../../src/protocol/errors.ts';
import type { JobView } from '../../../src/protocol/rest.ts';
import { fakeScreen } from '../../unit/cli/screen.ts';
import { type CloudDouble, cloudDouble, json } from '../client/double.ts';
import { frame, jobView, logEvent } from '../client/job-view.ts';

describe('following a job on the screen', () => {
  let cloud: CloudDouble;
  const out = fakeScreen();
  const err = fakeScreen();
  const interruption = new AbortController();
  let exitCode: number | undefined;
  const doors = new Doors();
  const context: Context = {
    deployments: new Deployments(new Files(doors), {}),
    doors,
    clock: systemClock(),
    random: systemRandom(),
    out,
    err,
    interrupted: interruption.signal,
    setExitCode: (code) => {
      exitCode = code;
    },
  };
  afterEach(async () => {
    await cloud.close();
    out.text = '';
    err.text = '';
  });

  it('shows progress, warnings and lost connections on one side, the outcome on the other', async () => {
    const failed: JobView = {
      ...jobView('failed'),
      error: { code: 'SHARE_FULL', message: 'The share ran out of space.', hint: 'Free some space.' },
    };
    let streams = 0;
    cloud = await cloudDouble((request, response) => {
      if (!request.url?.includes('/events')) return json(response, 200, failed);
      streams += 1;
      if (streams === 2) return response.writeHead(503).end();
      const warning = { ...logEvent(2), body: { kind: 'log', level: 'warn', message: 'slow share' } as const };
      const progress = 'event: progress\ndata: {"step":"copy","overallProgressPercent":30,"rate":1048576}\n\n';
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (streams === 1) response.write(frame(logEvent(1)) + frame(warning) + progress, () => response.destroy());
      else response.end();
    });
    await followToEnd(context, {}, cloud.client, 'job-a');
    expect(err.text).toContain('Job job-a\n');
    expect(err.text).toContain('warn: slow share\n');
    expect(err.text).toContain(' 30 %  copying  1.0 MiB/s\n');
    expect(err.text).toContain('does not answer; the job goes on');
    expect(err.text).not.toContain('number 1');
    expect(out.text).toMatch(/^state +failed$/m);
    expect(out.text).toContain('error SHARE_FULL: The share ran out of space.\n  → Free some space.\n');
    expect(exitCode).toBe(1);
  });

  it('left with Ctrl-C says how to go on and how to cancel, and tells no outcome', async () => {
    cloud = await cloudDouble((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(frame(logEvent(1)), () => interruption.abort(new IpsError('INTERRUPTED')));
    });
    await expect(followToEnd(context, {}, cloud.client, 'job-a')).rejects.toMatchObject({
      code: 'INTERRUPTED',
      message: 'The command was interrupted. Job job-a goes on.',
      hint: 'Follow it with "ips job wait job-a", or cancel it with "ips job cancel job-a".',
    });
    expect(out.text).toBe('');
  });
});
