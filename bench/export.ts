/**
 * What the engine does to a disk, as a program of its own: the data extents of a raw file into a VHDX, hashed, flushed,
 * and with `verify` read back and compared. usage: node export.ts RAW VHDX BLOCK_MIB [verify]
 */
import { execFileSync } from 'node:child_process';
import type { DataRange } from '../src/disk/allocation-map.ts';
import { copyDisk } from '../src/disk/copy.ts';
import { createFile, openFile } from '../src/disk/file.ts';
import { MappedDisk } from '../src/disk/mapped-disk.ts';
import { openDisk } from '../src/disk/open.ts';
import { RawDisk } from '../src/disk/raw.ts';
import { MIB } from '../src/disk/units.ts';
import { verifyDisk, verifySeal } from '../src/disk/verify.ts';
import { VhdxWriter } from '../src/disk/vhdx/vhdx-writer.ts';

// As in the engine.
process.env.UV_THREADPOOL_SIZE = '8';

const [raw, vhdx, blockMiB, verify] = process.argv.slice(2);
if (raw === undefined || vhdx === undefined) throw new Error('usage: export.ts RAW VHDX BLOCK_MIB [verify]');

/** The connector asks qemu for them too. */
function dataExtents(path: string): DataRange[] {
  const map = execFileSync('qemu-img', ['map', '--output=json', '-f', 'raw', path], { encoding: 'utf8' });
  const extents: { start: number; length: number; data: boolean }[] = JSON.parse(map);
  return extents.filter(({ data }) => data).map(({ start, length }) => ({ offset: start, length }));
}

const source = new MappedDisk(new RawDisk(await openFile(raw)), dataExtents(raw));
const target = await createFile(vhdx);
const options = { virtualSize: source.virtualSize, identity: Buffer.alloc(16), blockSize: Number(blockMiB) * MIB };
const copied = await copyDisk({ source, writer: await VhdxWriter.create(target, options) });
await target.close();
await source.close();

if (verify === 'verify') {
  const access = await openFile(vhdx);
  await verifySeal(access, copied.seal);
  await verifyDisk(await openDisk(access, 'vhdx'), copied);
  await access.close();
}
