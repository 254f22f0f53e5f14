/** Where a qcow2 image says that its clusters lie. Source of the format: QEMU, docs/interop/qcow2.txt. */
import { QCOW2_INCOMPATIBLE, qcow2Features } from './qcow2-header.ts';
import type { TableLayout } from './table-layout.ts';

/** Upper half of an entry: bits 32 to 63 of it. */
const HIGH = 2 ** 32;
/** Offsets are bits 9 to 55 of an entry. */
const OFFSET_HIGH = 0x00ffffff;
const OFFSET_LOW = 0xfffffe00;
const COPIED = 0x80000000;
const COMPRESSED = 0x40000000;
const READS_AS_ZERO = 1;
const COMPRESSED_SECTOR = 512;
const SUBCLUSTERS = 32;

/**
 * @param head of an image whose header was found to be sound
 * @throws Error with one sentence when its tables cannot be those of its disk
 */
export function qcow2Tables(head: Buffer): TableLayout {
  const clusterBits = head.readUInt32BE(20);
  const unit = 2 ** clusterBits;
  const size = Number(head.readBigUInt64BE(24));
  const features = qcow2Features(head);
  const extended = (features & QCOW2_INCOMPATIBLE.extendedL2) !== 0n;
  const external = (features & QCOW2_INCOMPATIBLE.externalData) !== 0n;
  const entryBytes = extended ? 16 : 8;
  const table = { entries: unit / entryBytes, entryBytes };
  if (head.readUInt32BE(36) < size / (unit * table.entries)) throw new Error('its first table is too short');
  const offsetAt = (entries: Buffer, at: number) =>
    (entries.readUInt32BE(at) & OFFSET_HIGH) * HIGH + ((entries.readUInt32BE(at + 4) & OFFSET_LOW) >>> 0);
  return {
    size,
    unit,
    directory: { offset: Number(head.readBigUInt64BE(40)), entryBytes: 8 },
    table,
    tableOffset: offsetAt,
    dataEnd(entries, at, bytes) {
      const high = entries.readUInt32BE(at);
      if (high & COMPRESSED) return compressedEnd(high, entries.readUInt32BE(at + 4), clusterBits);
      const offset = offsetAt(entries, at);
      // Only in a file of its own may data lie at offset 0.
      if (offset === 0 && !(external && high & COPIED)) return 0;
      if (extended) return subclustersEnd(entries.readUInt32BE(at + 12), { offset, unit, bytes });
      return entries.readUInt32BE(at + 4) & READS_AS_ZERO ? 0 : offset + bytes;
    },
  };
}

/** Of the last sector only its beginning is needed: what was compressed may end anywhere in it, and the file there. */
function compressedEnd(high: number, low: number, clusterBits: number): number {
  const countShift = 62 - (clusterBits - 8) - 32;
  const offset = (high & (2 ** countShift - 1)) * HIGH + low;
  const further = (high & 0x3fffffff) >>> countShift;
  return offset - (offset % COMPRESSED_SECTOR) + further * COMPRESSED_SECTOR + 1;
}

/** A cluster may be written in part: bit n of `allocated` tells that subcluster n is. */
function subclustersEnd(allocated: number, cluster: { offset: number; unit: number; bytes: number }): number {
  const written = (SUBCLUSTERS - Math.clz32(allocated)) * (cluster.unit / SUBCLUSTERS);
  return written === 0 ? 0 : cluster.offset + Math.min(written, cluster.bytes);
}
