import { describe, expect, it } from '@jest/globals';
import { crc32c } from '../../../src/disk/crc32c.ts';

describe('crc32c', () => {
  // RFC 3720 B.4 and the usual check value.
  it.each([
    { name: '32 zeros', bytes: Buffer.alloc(32), crc: 0x8a9136aa },
    { name: '32 ones', bytes: Buffer.alloc(32, 0xff), crc: 0x62a8ab43 },
    { name: '0 to 31', bytes: Buffer.from(Array.from({ length: 32 }, (_, at) => at)), crc: 0x46dd794e },
    { name: '123456789', bytes: Buffer.from('123456789'), crc: 0xe3069283 },
  ])('of $name', ({ bytes, crc }) => {
    expect(crc32c(bytes)).toBe(crc);
  });
});
