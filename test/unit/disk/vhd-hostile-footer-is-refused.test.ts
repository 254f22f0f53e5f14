import { beforeAll, describe, expect, it } from '@jest/globals';
import { DiskError } from '../../../src/disk/error.ts';
import { MIB } from '../../../src/disk/units.ts';
import { VhdFixedDisk } from '../../../src/disk/vhd/fixed-disk.ts';
import { exportBytes } from './export.ts';
import { MemoryAccess } from './memory-access.ts';
import { rawBytes } from './sample.ts';

const SIZE = 2 * MIB;
let good: Buffer;

beforeAll(async () => {
  const target = new MemoryAccess();
  await exportBytes(new MemoryAccess(rawBytes(SIZE, [{ offset: 0, length: 512 }])), 'vhd', target);
  good = target.bytes;
});

/** Changes the footer of a good file and gives it a right checksum again. */
function footer(change: (footer: Buffer) => void): (file: Buffer) => Buffer {
  return (file) => {
    const bytes = file.subarray(-512);
    change(bytes);
    bytes.writeUInt32BE(0, 64);
    bytes.writeUInt32BE(~bytes.reduce((sum, byte) => sum + byte, 0) >>> 0, 64);
    return file;
  };
}

// biome-ignore format: a case a line
const cases: { name: string; change: (file: Buffer) => Buffer; code: string }[] = [
  { name: 'no bytes', change: () => Buffer.alloc(0), code: 'TRUNCATED' },
  { name: 'half a footer', change: (file) => file.subarray(-256), code: 'TRUNCATED' },
  { name: 'no cookie', change: footer((f) => f.write('Conectix')), code: 'VHD_FOOTER_INVALID' },
  { name: 'another version', change: footer((f) => f.writeUInt16BE(2, 12)), code: 'VHD_FOOTER_INVALID' },
  { name: 'the type dynamic', change: footer((f) => f.writeUInt32BE(3, 60)), code: 'VHD_TYPE_UNSUPPORTED' },
  { name: 'the type differencing', change: footer((f) => f.writeUInt32BE(4, 60)), code: 'VHD_TYPE_UNSUPPORTED' },
  { name: 'an unknown type', change: footer((f) => f.writeUInt32BE(77, 60)), code: 'VHD_TYPE_UNSUPPORTED' },
  { name: 'a larger size than the file', change: footer((f) => f.writeBigUInt64BE(1n << 62n, 48)), code: 'VHD_FOOTER_INVALID' },
  { name: 'a smaller size than the file', change: footer((f) => f.writeBigUInt64BE(512n, 48)), code: 'VHD_FOOTER_INVALID' },
  { name: 'the size zero', change: (file) => footer((f) => f.writeBigUInt64BE(0n, 48))(file).subarray(-512), code: 'VHD_FOOTER_INVALID' },
  { name: 'half a sector', change: (file) => footer((f) => f.writeBigUInt64BE(256n, 48))(file).subarray(-768), code: 'VHD_FOOTER_INVALID' },
  { name: 'its last byte cut off', change: (file) => file.subarray(0, -1), code: 'VHD_FOOTER_INVALID' },
];

describe('a VHD', () => {
  it.each(cases)('with $name is refused as $code', async ({ change, code }) => {
    const error: unknown = await VhdFixedDisk.open(new MemoryAccess(change(Buffer.from(good)))).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(DiskError);
    expect(error).toMatchObject({ code });
  });

  it('with any byte of its footer changed is refused', async () => {
    for (let at = SIZE; at < SIZE + 512; at++) {
      const file = Buffer.from(good);
      file.writeUInt8((file[at] as number) ^ 0x10, at);
      await expect(VhdFixedDisk.open(new MemoryAccess(file))).rejects.toBeInstanceOf(DiskError);
    }
  });
});
