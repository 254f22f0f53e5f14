/**
 * The smallest guests that QEMU boots as a kernel (Multiboot Specification 0.6.96, section 3.1): 32-bit code of a few
 * bytes that writes to the serial port. They stand in for the engine image where only the VM around it matters.
 */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const LOAD_ADDRESS = 0x100000;
const HEADER_BYTES = 32;
const MAGIC = 0x1badb002;
/** The addresses in the header are valid. */
const FLAGS = 0x00010000;

/** What the guest does once its text is printed. */
export type TinyGuest = 'waits' | 'powersOff' | 'printsForever';

const ENDINGS: Readonly<Record<TinyGuest, readonly number[]>> = {
  // cli; hlt; jmp to hlt
  waits: [0xfa, 0xf4, 0xeb, 0xfd],
  // lidt [0] with a limit of zero; int3: a triple fault, which ends a VM that may not reboot
  powersOff: [0x0f, 0x01, 0x1d, 0x00, 0x00, 0x00, 0x00, 0xcc],
  // mov esi, …; jmp to the printing loop (both filled in below)
  printsForever: [0xbe, 0, 0, 0, 0, 0xeb, 0],
};

function kernel(text: string, ending: TinyGuest): Buffer {
  // mov esi, text; again: lodsb; test al, al; jz end; mov dx, 0x3f8; out dx, al; jmp again; end:
  const printing = [0xbe, 0, 0, 0, 0, 0xac, 0x84, 0xc0, 0x74, 0x08, 0x66, 0xba, 0xf8, 0x03, 0xee, 0xeb, 0xf4, 0x90];
  const code = Buffer.from([...printing, ...ENDINGS[ending]]);
  const textAddress = LOAD_ADDRESS + HEADER_BYTES + code.length;
  code.writeUInt32LE(textAddress, 1);
  if (ending === 'printsForever') {
    code.writeUInt32LE(textAddress, printing.length + 1);
    code.writeInt8(5 - (printing.length + 7), printing.length + 6);
  }
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(FLAGS, 4);
  header.writeUInt32LE(-(MAGIC + FLAGS) >>> 0, 8);
  header.writeUInt32LE(LOAD_ADDRESS, 12);
  header.writeUInt32LE(LOAD_ADDRESS, 16);
  header.writeUInt32LE(LOAD_ADDRESS + HEADER_BYTES, 28);
  return Buffer.concat([header, code, Buffer.from(`${text}\0`, 'latin1')]);
}

/** Writes a folder that the provider takes for an engine image. */
export async function tinyEngineImage(folder: string, text: string, ending: TinyGuest): Promise<string> {
  await mkdir(folder, { recursive: true });
  const contents = { vmlinuz: kernel(text, ending), initrd: Buffer.alloc(512, 1), 'root.sqfs': Buffer.alloc(4096, 2) };
  const files: Record<string, { size: number; sha256: string }> = {};
  for (const [name, content] of Object.entries(contents)) {
    await writeFile(join(folder, name), content);
    files[name] = { size: content.length, sha256: createHash('sha256').update(content).digest('hex') };
  }
  await writeFile(join(folder, 'manifest.json'), JSON.stringify({ version: 'tiny', files }));
  return folder;
}
