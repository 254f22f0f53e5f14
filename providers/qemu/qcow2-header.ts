/**
 * Reads the header of a qcow2 image for the one thing that matters before anyone opens it: which other files it names.
 * Source of the format: QEMU, docs/interop/qcow2.txt.
 */

export interface Qcow2Header {
  backing?: { name: string; format?: string };
  /** The image keeps its data in another file; the name is missing when the header carries none. */
  externalData?: { name?: string };
  encrypted: boolean;
  /** The image was marked damaged by QEMU. */
  corrupt: boolean;
}

/** The header, its extensions and the backing name lie in the first cluster, which has at most this many bytes. */
export const QCOW2_HEADER_BYTES = 2 * 1024 * 1024;

const MAGIC = 0x514649fb;
const VERSION_2_HEADER_LENGTH = 72;
const MAX_NAME = 1023;
/** Bits of the incompatible features. */
export const QCOW2_INCOMPATIBLE = { corrupt: 1n << 1n, externalData: 1n << 2n, extendedL2: 1n << 4n } as const;
const EXTENSION = { end: 0, backingFormat: 0xe2792aca, dataFile: 0x44415441 } as const;

/**
 * @param head the first {@link QCOW2_HEADER_BYTES} of the image, or all of it when it is smaller
 * @throws Error with one sentence when it is no qcow2 image of version 2 or 3
 */
export function parseQcow2Header(head: Buffer): Qcow2Header {
  if (head.length < VERSION_2_HEADER_LENGTH || head.readUInt32BE(0) !== MAGIC)
    throw new Error('it has no qcow2 header');
  const version = head.readUInt32BE(4);
  if (version !== 2 && version !== 3) throw new Error(`its qcow2 version is ${version}`);
  const clusterBits = head.readUInt32BE(20);
  if (clusterBits < 9 || clusterBits > 21) throw new Error('its cluster size is not valid');
  if (version === 3 && head.length < 104) throw new Error('its header is cut off');
  const headerLength = version === 2 ? VERSION_2_HEADER_LENGTH : head.readUInt32BE(100);
  const features = qcow2Features(head);
  const backingOffset = Number(head.readBigUInt64BE(8));
  const backingLength = head.readUInt32BE(16);
  const firstCluster = head.subarray(0, 2 ** clusterBits);
  const extensions = readExtensions(firstCluster, headerLength, backingOffset);
  const header: Qcow2Header = {
    encrypted: head.readUInt32BE(32) !== 0,
    corrupt: (features & QCOW2_INCOMPATIBLE.corrupt) !== 0n,
  };
  if (backingOffset !== 0) {
    if (backingLength < 1 || backingLength > MAX_NAME || backingOffset + backingLength > firstCluster.length)
      throw new Error('its backing file name is not valid');
    const name = firstCluster.toString('utf8', backingOffset, backingOffset + backingLength);
    const format = extensions.get(EXTENSION.backingFormat);
    header.backing = format === undefined ? { name } : { name, format };
  }
  if ((features & QCOW2_INCOMPATIBLE.externalData) !== 0n) {
    const name = extensions.get(EXTENSION.dataFile);
    header.externalData = name === undefined ? {} : { name };
  }
  return header;
}

/** The incompatible features of an image of version 2 or 3. */
export function qcow2Features(head: Buffer): bigint {
  return head.readUInt32BE(4) === 2 ? 0n : head.readBigUInt64BE(72);
}

function readExtensions(cluster: Buffer, start: number, backingOffset: number): Map<number, string> {
  const found = new Map<number, string>();
  const end = backingOffset === 0 ? cluster.length : Math.min(backingOffset, cluster.length);
  for (let at = start; at + 8 <= end; ) {
    const type = cluster.readUInt32BE(at);
    const length = cluster.readUInt32BE(at + 4);
    if (type === EXTENSION.end) break;
    if (at + 8 + length > end) throw new Error('a header extension is cut off');
    found.set(type, cluster.toString('utf8', at + 8, at + 8 + length));
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return found;
}
