import { describe, expect, it } from '@jest/globals';
import { parseQcow2Header } from '../../../providers/qemu/qcow2-header.ts';

/** A version 3 header with 64 KiB clusters. */
function header(change: (bytes: Buffer) => void = () => undefined): Buffer {
  const bytes = Buffer.alloc(65_536);
  bytes.writeUInt32BE(0x514649fb, 0);
  bytes.writeUInt32BE(3, 4);
  bytes.writeUInt32BE(16, 20);
  bytes.writeUInt32BE(104, 100);
  change(bytes);
  return bytes;
}

describe('a qcow2 header', () => {
  it('without any names gives none', () => {
    expect(parseQcow2Header(header())).toEqual({ encrypted: false, corrupt: false });
  });

  it('tells encryption and damage', () => {
    expect(parseQcow2Header(header((bytes) => bytes.writeUInt32BE(2, 32))).encrypted).toBe(true);
    expect(parseQcow2Header(header((bytes) => bytes.writeBigUInt64BE(2n, 72))).corrupt).toBe(true);
  });

  it('tells of external data even when it hides the name', () => {
    expect(parseQcow2Header(header((bytes) => bytes.writeBigUInt64BE(4n, 72))).externalData).toEqual({});
  });

  it.each<[string, (bytes: Buffer) => void]>([
    [
      'a name beyond the first cluster',
      (bytes) => {
        bytes.writeBigUInt64BE(65_530n, 8);
        bytes.writeUInt32BE(100, 16);
      },
    ],
    [
      'a name at an offset beyond all files',
      (bytes) => {
        bytes.writeBigUInt64BE(2n ** 63n, 8);
        bytes.writeUInt32BE(10, 16);
      },
    ],
    ['a name without a length', (bytes) => bytes.writeBigUInt64BE(200n, 8)],
    [
      'an extension that does not end',
      (bytes) => {
        bytes.writeUInt32BE(0x44415441, 104);
        bytes.writeUInt32BE(0xffffffff, 108);
      },
    ],
    ['clusters of no size', (bytes) => bytes.writeUInt32BE(64, 20)],
    ['a version that is not known', (bytes) => bytes.writeUInt32BE(9, 4)],
    ['another magic', (bytes) => bytes.writeUInt32BE(1, 0)],
  ])('is refused for %s', (_, change) => {
    expect(() => parseQcow2Header(header(change))).toThrow();
  });

  it('is refused when it is cut off anywhere', () => {
    for (const length of [0, 4, 71, 103]) expect(() => parseQcow2Header(header().subarray(0, length))).toThrow();
  });
});
