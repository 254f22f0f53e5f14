import { copyFile, mkdir, readFile, rename, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runTool } from '../../harness/tools.ts';
import { newContext } from '../providers/conformance.ts';
import { exportOf, type QemuSubject, qemuSubject } from './subject.ts';

const never = new AbortController().signal;

describe('an image that leads out of the source folders', () => {
  let subject: QemuSubject;
  let outside: string;
  let image: string;
  beforeEach(async () => {
    subject = await qemuSubject();
    outside = join(subject.folder, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'secret.raw'), Buffer.alloc(1024 * 1024, 7));
    image = join(subject.sourceFolder, 'hostile.qcow2');
  });
  afterEach(async () => subject.close());

  /** Codes of the critical findings of a preflight. */
  async function critical(path: string, format?: string): Promise<string[]> {
    const findings = await subject.createProvider().preflight(exportOf(path, format), newContext(), never);
    return findings.filter(({ severity }) => severity === 'critical').map(({ code }) => code);
  }
  const create = (...args: string[]) => runTool('qemu-img', ['create', '-q', ...args]);

  it('by its backing file is refused', async () => {
    await create('-f', 'qcow2', '-F', 'raw', '-b', join(outside, 'secret.raw'), image);
    expect(await critical(image)).toEqual(['SOURCE_BACKING_REFUSED']);
  });

  it('by the backing file of its backing file is refused', async () => {
    const middle = join(subject.sourceFolder, 'middle.qcow2');
    await create('-f', 'qcow2', '-F', 'raw', '-b', join(outside, 'secret.raw'), middle);
    await create('-f', 'qcow2', '-F', 'qcow2', '-b', 'middle.qcow2', image);
    expect(await critical(image)).toEqual(['SOURCE_BACKING_REFUSED']);
  });

  it('by a relative name is refused', async () => {
    await create('-f', 'qcow2', '-F', 'raw', '-b', '../outside/secret.raw', image);
    expect(await critical(image)).toEqual(['SOURCE_BACKING_REFUSED']);
  });

  it('by a symbolic link that it names is refused', async () => {
    await symlink(join(outside, 'secret.raw'), join(subject.sourceFolder, 'inner.raw'));
    await create('-f', 'qcow2', '-F', 'raw', '-b', 'inner.raw', image);
    expect(await critical(image)).toEqual(['SOURCE_BACKING_REFUSED']);
  });

  it.each(['json:{"driver":"file","filename":"/etc/shadow"}', 'nbd://127.0.0.1:1/x', 'http://127.0.0.1:1/x'])(
    'by the protocol name %s is refused',
    async (name) => {
      await create('-u', '-f', 'qcow2', '-F', 'raw', '-b', name, image, '1M');
      expect(await critical(image)).toEqual(['SOURCE_BACKING_REFUSED']);
    },
  );

  it('by an external data file is refused', async () => {
    await create('-f', 'qcow2', '-o', `data_file=${join(outside, 'data.raw')},data_file_raw=on`, image, '1M');
    expect(await critical(image)).toEqual(['SOURCE_BACKING_REFUSED']);
  });

  it('by an extent of a VMDK is refused', async () => {
    const flat = join(subject.sourceFolder, 'flat.vmdk');
    await create('-f', 'vmdk', '-o', 'subformat=monolithicFlat', flat, '1M');
    const descriptor = await readFile(flat, 'utf8');
    await writeFile(flat, descriptor.replace('flat-flat.vmdk', join(outside, 'secret.raw')));
    expect(await critical(flat)).toEqual(['SOURCE_BACKING_REFUSED']);
    await writeFile(flat, descriptor.replace('flat-flat.vmdk', '../outside/secret.raw'));
    expect(await critical(flat)).toEqual(['SOURCE_BACKING_REFUSED']);
  });

  it('by the parent of a VMDK is refused', async () => {
    await create('-f', 'vmdk', join(outside, 'base.vmdk'), '1M');
    const child = join(subject.sourceFolder, 'child.vmdk');
    await create('-f', 'vmdk', '-F', 'vmdk', '-b', join(outside, 'base.vmdk'), child);
    expect(await critical(child)).toEqual(['SOURCE_BACKING_REFUSED']);
  });

  it('by a backing file whose format it does not tell is refused, with the command that writes it in', async () => {
    await create('-f', 'raw', join(subject.sourceFolder, 'base.raw'), '1M');
    await create('-f', 'qcow2', '-F', 'raw', '-b', 'base.raw', image);
    // Type of the header extension "backing file format name": made one that nobody knows.
    const bytes = await readFile(image);
    bytes.writeUInt32BE(0x12345678, bytes.indexOf(Buffer.from('e2792aca', 'hex')));
    await writeFile(image, bytes);
    const findings = await subject.createProvider().preflight(exportOf(image), newContext(), never);
    expect(findings).toMatchObject([
      { code: 'SOURCE_BACKING_REFUSED', remedy: expect.stringContaining('qemu-img rebase') },
    ]);
  });

  it('is refused at the start of an engine too, when it came after the preflight', async () => {
    await rename(subject.disk, image);
    await create('-f', 'qcow2', '-F', 'raw', '-b', join(outside, 'secret.raw'), subject.disk);
    const context = newContext();
    const start = subject
      .createProvider()
      .startEngine({ parameters: subject.parameters, userData: Buffer.alloc(16) }, context, never);
    await expect(start).rejects.toMatchObject({ code: 'SOURCE_BACKING_REFUSED' });
    expect(context.ledger.rows).toEqual([]);
  });

  it('is not followed when it names itself', async () => {
    await create('-f', 'qcow2', image, '1M');
    await runTool('qemu-img', ['rebase', '-u', '-f', 'qcow2', '-F', 'qcow2', '-b', image, image]);
    expect(await critical(image)).toEqual(['SOURCE_UNREADABLE']);
  });

  it('cut off in the middle, encrypted, empty or of another format is unreadable', async () => {
    await create('-f', 'qcow2', image, '1M');
    const whole = join(subject.sourceFolder, 'whole.qcow2');
    await copyFile(image, whole);
    await truncate(image, 60);
    expect(await critical(image)).toEqual(['SOURCE_UNREADABLE']);
    const bytes = await readFile(whole);
    bytes.writeUInt32BE(1, 32);
    await writeFile(image, bytes);
    expect(await critical(image)).toEqual(['SOURCE_UNREADABLE']);
    await writeFile(join(subject.sourceFolder, 'empty.raw'), '');
    expect(await critical(join(subject.sourceFolder, 'empty.raw'))).toEqual(['SOURCE_UNREADABLE']);
    expect(await critical(whole, 'vhdx')).toEqual(['SOURCE_UNREADABLE']);
  });

  it('inside the folders is served with its whole chain', async () => {
    await create('-f', 'raw', join(subject.sourceFolder, 'base.raw'), '1M');
    await create('-f', 'qcow2', '-F', 'raw', '-b', 'base.raw', image);
    expect(await critical(image)).toEqual([]);
  });
});
