/**
 * `make bench`: our export beside qemu-img's, on disks that are made from a seed. Each is a program of its own, and the
 * rounds take turns; medians are shown, and as a ratio to qemu-img in the same run, since seconds are a machine's own.
 * Ours hashes what it copies and qemu-img does not; both flush what they wrote. Files go to the system's temporary folder.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quoted } from '../src/lib/shell.ts';
import { type BenchDisk, DISKS, writeDisk } from './disks.ts';

const MIB = 1024 * 1024;
const ROUNDS = 3;
/** In MiB: 8 is qemu-img's own choice, and what ours is compared with. */
const THEIR_BLOCKS = [1, 2, 4, 8, 32];
const OUR_BLOCKS = [1, 2, 4];

interface Case {
  name: string;
  program: (raw: string, vhdx: string) => string[];
  /** What the ratios compare with. */
  peer: string;
}

interface Measured {
  wall: number;
  cpu: number;
  fileMiB: number;
}

const ours = (blocks: number, ...more: string[]) => ({
  program: (raw: string, vhdx: string) => [
    process.execPath,
    join(import.meta.dirname, 'export.ts'),
    raw,
    vhdx,
    String(blocks),
    ...more,
  ],
});
const convert = (blocks: number, raw: string, vhdx: string) =>
  `qemu-img convert -t writeback -f raw -O vhdx -o block_size=${blocks}M ${quoted(raw)} ${quoted(vhdx)}`;
const compare = (raw: string, vhdx: string) =>
  `qemu-img compare -f raw -F vhdx ${quoted(raw)} ${quoted(vhdx)} >/dev/null`;

const PEER = 'qemu-img, 8 MiB';
const CHECKED_PEER = 'qemu-img convert + compare';
const CASES: Case[] = [
  ...THEIR_BLOCKS.map((blocks) => ({
    name: `qemu-img, ${blocks} MiB`,
    program: (raw: string, vhdx: string) => ['sh', '-c', convert(blocks, raw, vhdx)],
    peer: PEER,
  })),
  ...OUR_BLOCKS.map((blocks) => ({ name: `ours, ${blocks} MiB`, ...ours(blocks), peer: PEER })),
  {
    name: CHECKED_PEER,
    program: (raw, vhdx) => ['sh', '-c', `${convert(8, raw, vhdx)} && ${compare(raw, vhdx)}`],
    peer: CHECKED_PEER,
  },
  { name: 'ours, 1 MiB, verified', ...ours(1, 'verify'), peer: CHECKED_PEER },
];

/** Runs a program; its time is counted with that of its children. */
function timed(program: readonly string[]): { wall: number; cpu: number } {
  const script = 'TIMEFORMAT="%R %U %S"; time "$@"';
  const { status, stderr } = spawnSync('bash', ['-c', script, 'bash', ...program], { encoding: 'utf8' });
  const [wall, user, system] = stderr.trimEnd().split('\n').at(-1)?.split(' ').map(Number) ?? [];
  if (status !== 0 || wall === undefined || user === undefined || system === undefined) {
    throw new Error(`${program.join(' ')} failed: ${stderr}`);
  }
  return { wall, cpu: user + system };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

async function measure(disk: BenchDisk, folder: string): Promise<Map<string, Measured>> {
  const [raw, vhdx] = [join(folder, `${disk.name}.raw`), join(folder, 'out.vhdx')];
  await writeDisk(disk, raw);
  const rounds = new Map<string, Measured[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, program } of CASES) {
      const times = timed(program(raw, vhdx));
      const fileMiB = (await stat(vhdx)).size / MIB;
      await rm(vhdx);
      rounds.set(name, [...(rounds.get(name) ?? []), { ...times, fileMiB }]);
    }
  }
  await rm(raw);
  return new Map(
    [...rounds].map(([name, all]) => [
      name,
      {
        wall: median(all.map(({ wall }) => wall)),
        cpu: median(all.map(({ cpu }) => cpu)),
        fileMiB: all[0]?.fileMiB ?? Number.NaN,
      },
    ]),
  );
}

function line(...cells: (string | number)[]): string {
  const [name = '', ...figures] = cells;
  const columns = figures.map((cell) => (typeof cell === 'number' ? cell.toFixed(2) : cell).padStart(9));
  return `${String(name).padEnd(28)}${columns.join('')}`;
}

const folder = await mkdtemp(join(tmpdir(), 'ips-bench-'));
for (const [name, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(name, () => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(code);
  });
try {
  for (const disk of DISKS) {
    const data = disk.pieces.reduce((sum, { length }) => sum + length, 0);
    const [size, dataMiB] = [disk.size / MIB, Math.round(data / MIB)];
    console.log(`\n${disk.name}: ${size} MiB with ${dataMiB} MiB of data, ${disk.about}`);
    const results = await measure(disk, folder);
    console.log(line('', 'file MiB', 'wall s', 'cpu s', 'wall', 'cpu'));
    for (const { name, peer } of CASES) {
      const [one, other] = [results.get(name), results.get(peer)];
      if (one === undefined || other === undefined) continue;
      console.log(line(name, String(one.fileMiB), one.wall, one.cpu, one.wall / other.wall, one.cpu / other.cpu));
    }
  }
  console.log(`\nwall, cpu: as a ratio to "${PEER}", the last two to "${CHECKED_PEER}".`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
