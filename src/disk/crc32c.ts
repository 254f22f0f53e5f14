/** CRC-32C (Castagnoli), as iSCSI defines it: RFC 3720 section 12.1 and appendix B.4. */
const REFLECTED_POLYNOMIAL = 0x82f63b78;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) {
    crc = crc & 1 ? (crc >>> 1) ^ REFLECTED_POLYNOMIAL : crc >>> 1;
  }
  return crc;
});

/** The checksum of all bytes of the buffer, as an unsigned 32-bit number. */
export function crc32c(buffer: Buffer): number {
  let crc = 0xffffffff;
  for (let at = 0; at < buffer.length; at++) {
    crc = (TABLE[(crc ^ (buffer[at] as number)) & 0xff] as number) ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
