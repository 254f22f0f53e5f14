/** What an engine VM left to read: QEMU's own messages and the serial console. */
import { readFile } from 'node:fs/promises';
import { vmFiles } from './command-line.ts';

const CONSOLE_BYTES = 64 * 1024;
const CONSOLE_LINES = 200;
const QEMU_LINES = 20;

/**
 * The last things that QEMU itself said, then the last lines of the serial console; free of control characters.
 * @param folder the VM's own
 */
export async function consoleTail(folder: string): Promise<string> {
  const files = vmFiles(folder);
  const said = (await lastLines(files.log)).filter((line, index, all) => line !== all[index - 1]);
  const printed = await lastLines(files.console);
  return [...said.slice(-QEMU_LINES), ...printed].slice(-CONSOLE_LINES).join('\n');
}

async function lastLines(path: string): Promise<string[]> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  const text = bytes.subarray(-CONSOLE_BYTES).toString('utf8');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  const plain = text.replace(/\x1b\[[\d;?]*[A-Za-z]/g, '').replace(/[^\n\t\x20-\x7e\u00a0-\uffff]/g, '');
  return plain.split('\n').filter((line) => line.trim() !== '');
}
