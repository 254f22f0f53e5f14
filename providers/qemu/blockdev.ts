/**
 * An image and its chain as QEMU's block layer is told of it (qapi/block-core.json, BlockdevOptions): every node
 * explicit, read-only and locked, so that no name inside an image is followed and a virtual machine that has one of
 * the files open for writing is noticed.
 */
import type { ImageFile } from './image-chain.ts';

type Options = { [name: string]: string | boolean | null | Options };

const fileNode = (path: string): Options => ({
  driver: 'file',
  filename: path,
  locking: 'on',
  aio: 'threads',
  'read-only': true,
  'auto-read-only': false,
});

/** The whole chain below one node. */
export function chainNode(image: ImageFile): Options {
  return { ...fileOnly(image), ...(hasBacking(image) && { backing: image.backing ? chainNode(image.backing) : null }) };
}

/** One file of the chain by itself, with its backing file left closed. */
export function singleNode(image: ImageFile): Options {
  return { ...fileOnly(image), ...(hasBacking(image) && { backing: null }) };
}

function fileOnly(image: ImageFile): Options {
  return {
    driver: image.format,
    'read-only': true,
    file: fileNode(image.path),
    ...(image.dataFile === undefined ? {} : { 'data-file': fileNode(image.dataFile) }),
  };
}

const hasBacking = (image: ImageFile): boolean => image.format === 'qcow2' || image.format === 'vmdk';
