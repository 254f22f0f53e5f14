import { describe, expect, it } from '@jest/globals';
import { checkExtent, parseVmdk } from '../../../providers/qemu/vmdk-header.ts';

const HEAD = '# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\n';

const parse = (content: Buffer | string) => {
  const bytes = Buffer.from(content);
  return parseVmdk(async (offset, length) => bytes.subarray(offset, offset + length));
};

function sparse(capacity: bigint, descriptor: string): Buffer {
  const file = Buffer.alloc(512 * 21);
  file.write('KDMV', 0, 'latin1');
  file.writeBigUInt64LE(capacity, 12);
  file.writeBigUInt64LE(1n, 28);
  file.writeBigUInt64LE(20n, 36);
  file.write(descriptor, 512);
  return file;
}

describe('the descriptor of a VMDK', () => {
  it('names its extents, and how far flat ones reach', async () => {
    const flat = 'RW 8192 FLAT "a b.vmdk" 0\nRW 100 FLAT "later.vmdk" 3\nRW 9 VMFS "host.vmdk"\n';
    const extents = `${flat}RW 8192 SPARSE "/etc/shadow"\n`;
    expect(await parse(`${HEAD}# Extent description\n${extents}ddb.adapterType = "ide"\n`)).toEqual({
      extents: [
        { type: 'FLAT', name: 'a b.vmdk', end: 8192 * 512 },
        { type: 'FLAT', name: 'later.vmdk', end: 103 * 512 },
        { type: 'VMFS', name: 'host.vmdk', end: 9 * 512 },
        { type: 'SPARSE', name: '/etc/shadow', end: undefined },
      ],
    });
  });

  it('names its parent, also inside a sparse file', async () => {
    const child = HEAD.replace('ffffffff', '12345678');
    expect(await parse(`${child}parentFileNameHint="base.vmdk"\n`)).toEqual({
      extents: [],
      parent: { name: 'base.vmdk' },
    });
    expect(await parse(sparse(8192n, `${child}parentFileNameHint="base.vmdk"\n`))).toEqual({
      extents: [],
      parent: { name: 'base.vmdk' },
    });
    expect(await parse(child)).toEqual({ extents: [], parent: {} });
  });

  it.each([
    ['an extent on two lines, which a lenient reader would join', 'RW 8192\nFLAT "/etc/shadow" 0\n'],
    ['a type that is not known', 'RW 8192 VMFSRDM "/etc/shadow" 0\n'],
    ['words of no meaning', 'hello world\n'],
    ['an extent that QEMU leaves out', 'RDONLY 8192 FLAT "a.vmdk" 0\n'],
    ['an extent without access', 'NOACCESS 8192 ZERO\n'],
  ])('is refused for %s', async (_, line) => {
    await expect(parse(`${HEAD}${line}`)).rejects.toThrow('not understood');
  });

  it('may call the sparse file that it lies in read-only', async () => {
    expect(await parse(sparse(8192n, `${HEAD}RDONLY 8192 SPARSE "stream.vmdk"\n`))).toEqual({ extents: [] });
  });

  it('is refused when it is encrypted', async () => {
    await expect(parse(`${HEAD}encryption.keySafe = "vmware:key"\n`)).rejects.toThrow('encrypted');
  });

  it('is refused when a sparse header leaves the word to further extents', async () => {
    await expect(parse(sparse(0n, `${HEAD}RW 8192 FLAT "/etc/shadow" 0\n`))).rejects.toThrow('no capacity');
    const nested = sparse(0n, `${HEAD}RW 8192 FLAT "/etc/shadow" 0\n`).subarray(0, 512);
    expect(() => checkExtent({ type: 'SPARSE', name: 'x', end: undefined }, nested)).toThrow('not sparse data');
    expect(() => checkExtent({ type: 'SPARSE', name: 'x', end: undefined }, Buffer.from(HEAD))).toThrow(
      'not sparse data',
    );
    expect(() => checkExtent({ type: 'FLAT', name: 'x', end: 512 }, nested)).not.toThrow();
  });

  it('is refused when there is none', async () => {
    await expect(parse('QFI\xfb')).rejects.toThrow('no VMDK descriptor');
    await expect(parse('')).rejects.toThrow('no VMDK descriptor');
  });
});
