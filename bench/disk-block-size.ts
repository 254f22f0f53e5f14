/**
 * What a VHDX block size costs: bytes to send and to store, and seconds, for one raw disk; ours beside qemu-img's.
 * `node bench/disk-block-size.ts DISK.raw [ROUNDS]`; the figures of docs/decisions/0004-vhdx-block-size.md come from here.
 * Files go to the system's temporary folder; rounds are interleaved, medians printed.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { copyDisk } from '../src/disk/copy.ts';
import { createFile, openFile } from '../src/disk/file.ts';
import { RawDisk } from '../src/disk/raw.ts';
import { MIB } from '../src/disk/units.ts';
import { VhdxWriter } from '../src/disk/vhdx/vhdx-writer.ts';

type Measured = { bytes: number; seconds: number; reading: number };

async function ours(disk: string, out: string, blockSize: number): Promise<void> {
  const source = new RawDisk(await openFile(disk));
  const target = await createFile(out);
  try {
    const options = { virtualSize: source.virtualSize, identity: Buffer.alloc(16), blockSize };
    await copyDisk({ source, writer: await VhdxWriter.create(target, options) });
  } finally {
    await target.close();
    await source.close();
  }
}

async function theirs(disk: string, out: string, blockSize: number): Promise<void> {
  execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'vhdx', '-o', `block_size=${blockSize}`, disk, out]);
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

async function main(disk: string, rounds: number): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ips-bench-'));
  const cases = [
    ...[1, 2, 4].map((size) => ({ name: `ours ${size} MiB`, size: size * MIB, run: ours })),
    ...[1, 2, 4, 8, 32].map((size) => ({ name: `qemu-img ${size} MiB`, size: size * MIB, run: theirs })),
  ];
  const results = new Map<string, Measured[]>();
  try {
    for (let round = 0; round < rounds; round++) {
      for (const { name, size, run } of cases) {
        const out = path.join(folder, 'out.vhdx');
        const started = performance.now();
        await run(disk, out, size);
        const written = performance.now();
        execFileSync('qemu-img', ['bench', '-f', 'vhdx', '-c', '4096', '-s', '262144', '-d', '4', out]);
        const reading = (performance.now() - written) / 1000;
        const measured = { bytes: statSync(out).size, seconds: (written - started) / 1000, reading };
        results.set(name, [...(results.get(name) ?? []), measured]);
        rmSync(out);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  console.log('                    file MiB   write s   qemu-img reads 1 GiB in s');
  for (const [name, measured] of results) {
    const bytes = (measured[0]?.bytes ?? 0) / MIB;
    const seconds = median(measured.map((one) => one.seconds));
    const reading = median(measured.map((one) => one.reading));
    console.log(
      `${name.padEnd(18)} ${bytes.toFixed(0).padStart(8)} ${seconds.toFixed(2).padStart(9)} ${reading.toFixed(2).padStart(9)}`,
    );
  }
}

const [disk, rounds = '3'] = process.argv.slice(2);
if (disk === undefined) {
  process.stderr.write('usage: disk-block-size.ts DISK.raw [ROUNDS]\n');
  process.exitCode = 2;
} else {
  await main(disk, Number(rounds));
}
