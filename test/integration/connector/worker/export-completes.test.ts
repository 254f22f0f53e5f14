/** The happy path of a worker: what it tells, in which order it writes the ledger, and what is left: nothing. */
import { afterEach, expect, it } from '@jest/globals';
import type { DoorWatcher } from '../../../../src/lib/doors.ts';
import { MADE_FILE_BYTES } from '../../../doubles/engine.ts';
import { PARTIAL, Site } from './site.ts';

let site: Site;
afterEach(() => site.close());

it('brings an export to its verified end and leaves nothing', async () => {
  const passages: string[] = [];
  const watcher: DoorWatcher = {
    before: (door, point) => passages.push(`${door} ${point}`),
    after: () => undefined,
  };
  site = await Site.open({ watcher });
  await site.run();

  const ended = site.ended();
  expect(ended.error).toBeUndefined();
  expect(ended.state).toBe('complete');
  expect(ended.result.leftovers).toEqual([]);
  expect(ended.result.export).toMatchObject({ file: 'disk.vhdx', fileSize: MADE_FILE_BYTES, engineVersion: 'double' });
  expect(Object.keys(ended.result.export?.durations ?? {})).toEqual([
    'credentials',
    'preflight',
    'startEngine',
    'connectEngine',
    'copy',
    'verify',
    'commit',
    'cleanup',
  ]);
  expect([...site.platform.share.files]).toEqual([['disk.vhdx', MADE_FILE_BYTES]]);
  expect(site.platform.machines.size).toBe(0);
  expect(site.openRows()).toBe(0);
  expect(site.job.envelopes).toBeUndefined();
  expect(site.platform.userData.size).toBe(0);

  // The row is durable before the effect.
  const first = (passage: string) => passages.indexOf(passage);
  expect(first('ledger intent.vm')).toBeGreaterThanOrEqual(0);
  expect(first('ledger intent.vm')).toBeLessThan(first('platform double.create'));
  expect(first('ledger intent.share-file')).toBeGreaterThanOrEqual(0);
  expect(first('ledger intent.share-file')).toBeLessThan(first('send engine.task'));
  expect(first('journal job.granted')).toBeLessThan(first('send engine.commit'));
  expect(first('journal job.outcome')).toBeLessThan(first('platform double.destroy'));
  expect(site.platform.rowsBeforeCreate).toEqual([['vm']]);
  expect(site.platform.calls).toContain('removeUserData');
  expect(site.platform.calls.indexOf('removeUserData')).toBeLessThan(site.platform.calls.indexOf('destroy'));

  // The history has no gap, and the steps come once and in order.
  expect(site.events().map(({ seq }) => seq)).toEqual(site.events().map((_, index) => index + 1));
  expect(site.bodies('step').map(({ step }) => step)).toEqual([
    'credentials',
    'preflight',
    'startEngine',
    'connectEngine',
    'copy',
    'verify',
    'commit',
    'cleanup',
  ]);
  const rows = site.bodies('ledger').map(({ row }) => `${row.kind} ${row.state}`);
  expect(rows).toEqual(['vm intent', 'vm made', 'share-file intent', 'share-file made', 'vm gone', 'share-file gone']);
  expect(site.bodies('ledger').find(({ row }) => row.kind === 'share-file')?.row.removeWith).toBe(
    `smbclient '//files.test/disks' -U 'writer' -c 'del "masters\\${PARTIAL}"'`,
  );

  const progress = site.sent.flatMap((message) => (message.type === 'progress' ? [message.progress] : []));
  expect(progress).toContainEqual({
    step: 'copy',
    overallProgressPercent: 36,
    bytesRead: 512,
    bytesSkipped: 0,
    bytesWritten: 512,
    bytesTotal: 1024,
    rate: 256,
    secondsLeft: 2,
  });
});
