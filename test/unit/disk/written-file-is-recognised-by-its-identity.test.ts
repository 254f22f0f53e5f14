import { describe, expect, it } from '@jest/globals';
import { copyDisk } from '../../../src/disk/copy.ts';
import { RawDisk } from '../../../src/disk/raw.ts';
import { MIB } from '../../../src/disk/units.ts';
import { VhdFixedDisk } from '../../../src/disk/vhd/fixed-disk.ts';
import { VhdFixedWriter, vhdUniqueId } from '../../../src/disk/vhd/fixed-writer.ts';
import { VhdxDisk } from '../../../src/disk/vhdx/vhdx-disk.ts';
import { VhdxWriter, vhdxIdentifiers } from '../../../src/disk/vhdx/vhdx-writer.ts';
import { MemoryAccess } from './memory-access.ts';
import { noise } from './sample.ts';

const OURS = Buffer.alloc(16, 1);
const OTHER = Buffer.alloc(16, 2);

async function written(create: typeof VhdxWriter.create | typeof VhdFixedWriter.create, identity: Buffer) {
  const target = new MemoryAccess();
  const source = new RawDisk(new MemoryAccess(noise(MIB, 1)));
  await copyDisk({ source, writer: await create(target, { virtualSize: MIB, identity }) });
  return target;
}

describe('what was written with an identity', () => {
  it('is the same file byte for byte, every time', async () => {
    for (const create of [VhdxWriter.create, VhdFixedWriter.create]) {
      const first = await written(create, OURS);
      expect((await written(create, OURS)).bytes.equals(first.bytes)).toBe(true);
      expect((await written(create, OTHER)).bytes.equals(first.bytes)).toBe(false);
    }
  });

  it('is known again by the identifiers of a VHDX', async () => {
    const disk = await VhdxDisk.open(await written(VhdxWriter.create, OURS));
    const found = {
      fileWriteGuid: disk.header.fileWriteGuid,
      dataWriteGuid: disk.header.dataWriteGuid,
      virtualDiskId: disk.metadata.virtualDiskId,
    };
    expect(found).toEqual(vhdxIdentifiers(OURS));
    expect(new Set(Object.values(found).map((guid) => guid.toString('hex'))).size).toBe(3);
    expect(found.virtualDiskId).not.toEqual(vhdxIdentifiers(OTHER).virtualDiskId);
  });

  it('is known again by the unique id of a VHD', async () => {
    const disk = await VhdFixedDisk.open(await written(VhdFixedWriter.create, OURS));
    expect(disk.uniqueId).toEqual(vhdUniqueId(OURS));
    expect(disk.uniqueId).not.toEqual(vhdUniqueId(OTHER));
  });
});
