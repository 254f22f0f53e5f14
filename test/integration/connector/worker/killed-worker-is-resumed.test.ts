/**
 * A worker killed with SIGKILL at every door it passes: the next worker goes on from the journal. The job completes, its task is started once, its history has no gap and tells each step once, and nothing
 * is left.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { MADE_FILE_BYTES } from '../../../doubles/engine.ts';
import { bundleWorker, ForkedWorkers, type Passage } from './forked.ts';
import { Site } from './site.ts';
import type { KillPoint } from './worker-process.ts';

/** Most of a run is waiting, so a few go side by side. */
const SIDE_BY_SIDE = 4;

let folder: string;
let program: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ips-worker-program-'));
  program = await bundleWorker(folder);
});
afterAll(() => rm(folder, { recursive: true }));

async function withWorkers<T>(use: (site: Site, workers: ForkedWorkers) => Promise<T>): Promise<T> {
  const site = await Site.open();
  const workers = await ForkedWorkers.open(site, program);
  try {
    return await use(site, workers);
  } finally {
    await workers.close();
    await site.close();
  }
}

/** The passages of an undisturbed run. How many deadlines and streams there are depends on time; one of each will do. */
async function record(): Promise<Passage[]> {
  return await withWorkers(async (_site, workers) => {
    expect(await workers.run({ record: true })).toBe(0);
    return workers.passages.filter(({ nth, point }) => nth === 1 || !/^engine\.(deadline|events)$/.test(point));
  });
}

async function killAndResume(kill: KillPoint) {
  return await withWorkers(async (site, workers) => {
    const first = await workers.run({ kill });
    const second = await workers.run();
    const ended = site.ended();
    const seqs = site.events().map(({ seq }) => seq);
    const steps = site.bodies('step').map(({ step }) => step);
    return {
      where: whereOf(kill),
      first,
      second,
      state: ended.state,
      error: ended.error,
      leftovers: ended.result.leftovers,
      files: [...site.platform.share.files],
      machines: site.platform.machines.size,
      openRows: site.openRows(),
      engines: site.platform.engines.map(({ tasksStarted }) => tasksStarted),
      gaps: seqs.filter((seq, index) => seq !== index + 1),
      repeatedSteps: steps.filter((step, index) => steps.indexOf(step) !== index),
      envelopes: site.job.envelopes,
    };
  });
}

const whereOf = ({ when, door, point, nth }: KillPoint) => `${when} ${door} ${point} #${nth}`;

/** How every job must end, wherever its first worker was killed. */
const GOOD = {
  first: 'SIGKILL',
  second: 0,
  state: 'complete',
  error: undefined,
  leftovers: [],
  files: [['disk.vhdx', MADE_FILE_BYTES]],
  machines: 0,
  openRows: 0,
  engines: [1],
  gaps: [],
  repeatedSteps: [],
  envelopes: undefined,
};

it('completes after a kill at every door', async () => {
  const passages = await record();
  expect(passages.length).toBeGreaterThan(30);
  // SQLite's own passages follow one another: before the next is after the last. An effect on others has two sides.
  const kills = passages.flatMap((at): KillPoint[] => {
    const after = { ...at, when: 'after' } as const;
    return at.door === 'journal' || at.door === 'ledger' ? [after] : [{ ...at, when: 'before' }, after];
  });
  const started = performance.now();
  const left = [...kills];
  const found: Awaited<ReturnType<typeof killAndResume>>[] = [];
  const lane = async () => {
    for (let kill = left.shift(); kill; kill = left.shift()) found.push(await killAndResume(kill));
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
  console.log(`${kills.length} kills in ${Math.round((performance.now() - started) / 1000)} s`);
  for (const answer of found) expect(answer).toEqual({ ...answer, ...GOOD });
  expect(found).toHaveLength(kills.length);
}, 600_000);
